// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::python {

/// Lets forks.py undo in children of the application what Python holds of the server. With the GIL, when
/// the package is installed. False with a Python exception set.
[[nodiscard]] bool watch_python_forks();

/// When the application is loaded, which registers what it does at forks. False with a Python exception set.
[[nodiscard]] bool settle_python_forks();

/// True, with a Python exception set, in such a child: the request is its parent's to read and to answer.
[[nodiscard]] bool refuse_forked() noexcept;

}  // namespace unicoro::python

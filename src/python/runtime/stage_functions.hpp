// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// What tells an application that its worker, or the server, ends (unicoro/stage.hpp), to be called without
/// arguments. Any thread.
struct stage_functions {
    py_ref draining;
    py_ref stopping;

    /// With the GIL; without one of them an exception is set.
    [[nodiscard]] static stage_functions make() noexcept;
};

/// Gives a module functions of these names; false with an exception set.
[[nodiscard]] bool add_stage_functions(PyObject* module) noexcept;

}  // namespace unicoro::python

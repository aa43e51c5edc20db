// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

class asgi_call;

/// The coroutine that a request's task runs: it calls the application and passes through what that
/// awaits, logs what it raises, and tells the call of its end. Owns the call. With the GIL; nothing
/// with an exception set, and then the call stays its maker's.
[[nodiscard]] py_ref make_call_coroutine(asgi_call& call);

[[nodiscard]] asgi_call& call_of(PyObject* coroutine) noexcept;

/// The application's own, which may outlive this one; null before and after. Not a new reference.
[[nodiscard]] PyObject* inner_of(PyObject* coroutine) noexcept;

}  // namespace unicoro::python

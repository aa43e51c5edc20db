// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python {

// What the types that are coroutines in the eyes of asyncio have in common. With the GIL.

/// Makes `type` one whose objects are awaited by `step`; with `methods`, which has "send" by
/// `send_to_coroutine` and "throw" and "close" by functions of its own. `async` is the type's.
void make_awaitable(PyTypeObject& type, PyAsyncMethods& async, sendfunc step, PyMethodDef* methods) noexcept;

/// Goes on by the type's step: the next value, or StopIteration with the result.
[[nodiscard]] PyObject* send_to_coroutine(PyObject* object, PyObject* argument);

/// Raises what throw() was given, as in Python; null.
PyObject* raise_given(PyObject* const* arguments, Py_ssize_t count);

/// Passes a throw() on to the iterator or coroutine that `inner` waits for.
[[nodiscard]] PyObject* throw_on(PyObject* inner, PyObject* const* arguments, Py_ssize_t count);

/// The same coroutine was awaited before; with the exception for that.
[[nodiscard]] PySendResult refuse_reuse() noexcept;

}  // namespace unicoro::python

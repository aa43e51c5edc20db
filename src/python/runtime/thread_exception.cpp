// SPDX-License-Identifier: MIT
#include "python/runtime/thread_exception.hpp"

#include "python/runtime/package.hpp"

#include <utility>

namespace unicoro::python {

void raise_in(PyThreadState& thread, PyObject* type) noexcept {
#if PY_VERSION_HEX < 0x030d0000
    // Not by PyThreadState_SetAsyncExc, which also has every thread look for something to do, until the
    // one that is meant comes back from C: a traced call makes no step meanwhile (CPython 3.11). That one
    // looks here by itself whenever it takes the GIL, which is not its own now.
    Py_INCREF(type);
    Py_XDECREF(std::exchange(thread.async_exc, type));
#else
    PyThreadState_SetAsyncExc(thread.thread_id, type);
#endif
}

void drop_raised() noexcept {
    // PyThreadState_SetAsyncExc(..., nullptr) would leave the interpreter looking for it for ever (until
    // CPython 3.13). It comes out at the first step of any code instead.
    [[maybe_unused]] const py_ref done = package::call("_unicoro.call_ends", "take_a_step");
    PyErr_Clear();
}

}  // namespace unicoro::python

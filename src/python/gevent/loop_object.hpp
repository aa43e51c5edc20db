// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python::gevent {

class loop_core;

/// gevent's loop as a Python object: the base of the class that loop.py defines.
struct loop_object {
    PyObject_HEAD PyObject* error_handler;  ///< the hub while it runs, or None
    loop_core* core;                        ///< owned; null when destroyed
};

/// The type, readied; null with an exception set.
[[nodiscard]] PyTypeObject* loop_type();

/// Its core; null with an exception set when it was destroyed.
[[nodiscard]] loop_core* living_core(loop_object* loop) noexcept;

/// Calls a function of the package's gevent_loop.py. Null with an exception set.
[[nodiscard]] PyObject* call_loop_py(const char* function, PyObject* argument);

/// The module `_unicoro_gevent`, which is in sys.modules from now on: the types and what gevent_loop.py adds.
/// Null with an exception set. Needs gevent, and the package installed.
[[nodiscard]] PyObject* make_module();

}  // namespace unicoro::python::gevent

// SPDX-License-Identifier: MIT
#include "python/runtime/forked_child.hpp"

#include "os/forks.hpp"
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"

namespace unicoro::python {
namespace {

// A function that traces must not be traced itself. One that is left by a switch would count as running
// for ever, and nothing would be traced any more (sys.settrace, sys.setprofile).
#if PY_VERSION_HEX >= 0x030B0000
void leave_tracing() noexcept {
    PyThreadState_LeaveTracing(PyThreadState_Get());
}
void enter_tracing() noexcept {
    PyThreadState_EnterTracing(PyThreadState_Get());
}
#else
void leave_tracing() noexcept {
    PyThreadState* const thread = PyThreadState_Get();
    --thread->tracing;
    thread->cframe->use_tracing = thread->c_tracefunc != nullptr || thread->c_profilefunc != nullptr;
}
void enter_tracing() noexcept {
    PyThreadState* const thread = PyThreadState_Get();
    ++thread->tracing;
    thread->cframe->use_tracing = 0;
}
#endif

PyObject* forked_off(PyObject*, PyObject*) {
    return PyBool_FromLong(os::forked_off() ? 1 : 0);
}

PyObject* leave(PyObject*, PyObject* error) {
    if (error != Py_None) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error);
    if (os::forked_off()) interpreter::leave_forked();
    PyErr_SetString(PyExc_RuntimeError, "this process is the server");
    return nullptr;
}

PyObject* switch_away(PyObject*, PyObject* target) {
    leave_tracing();
    py_ref back = greenlet_api::switch_to(target);
    enter_tracing();
    return back.release();
}

PyObject* hold_signals(PyObject*, PyObject*) {
    os::hold_signals();
    Py_RETURN_NONE;
}

PyObject* let_signals(PyObject*, PyObject*) {
    os::let_signals();
    Py_RETURN_NONE;
}

PyObject* resume_signals(PyObject*, PyObject*) {
    os::resume_signals();
    Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"forked_off", &forked_off, METH_NOARGS, "Whether the application has forked this process."},
    {"leave", &leave, METH_O, "Ends such a process, by an exception or None."},
    {"switch_away", &switch_away, METH_O, "Switches to a greenlet, out of what traces a switch."},
    {"hold_signals", &hold_signals, METH_NOARGS, "Blocks them in the next child."},
    {"let_signals", &let_signals, METH_NOARGS, "Does not, after all."},
    {"resume_signals", &resume_signals, METH_NOARGS, "In the child."},
};

}  // namespace

bool watch_python_forks() {
    os::watch_forks();
    const py_ref functions = py_ref::steal(PyDict_New());
    if (!functions) return false;
    for (PyMethodDef& each : methods) {
        const py_ref function = py_ref::steal(PyCFunction_New(&each, nullptr));
        if (!function || PyDict_SetItemString(functions.get(), each.ml_name, function.get()) != 0) {
            return false;
        }
    }
    return static_cast<bool>(package::call("_unicoro.forks", "watch_forks", {functions.get()}));
}

bool settle_python_forks() {
    return static_cast<bool>(package::call("_unicoro.forks", "resume_signals_last"));
}

bool refuse_forked() noexcept {
    if (!os::forked_off()) return false;
    PyErr_SetString(
        PyExc_ConnectionError,
        "this process was forked off: only its parent can read the request and answer it"
    );
    return true;
}

}  // namespace unicoro::python

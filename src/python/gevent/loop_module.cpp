// SPDX-License-Identifier: MIT
#include "python/gevent/callback_queue.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/loop_source.hpp"
#include "python/gevent/server_seat.hpp"
#include "python/gevent/signal_pipe.hpp"
#include "python/gevent/watcher.hpp"
#include "python/runtime/py_ref.hpp"

namespace unicoro::python::gevent {
namespace {

PyObject*& loop_py() noexcept {
    static PyObject* module = nullptr;
    return module;
}

bool add_type(PyObject* module, PyTypeObject* type) {
    return type != nullptr && PyModule_AddType(module, type) == 0;
}

bool add_types(PyObject* module) {
    for (std::size_t kind = 0; kind < watcher_kinds; ++kind) {
        if (!add_type(module, watcher_type(static_cast<watcher_kind>(kind)))) return false;
    }
    return add_type(module, callback_type()) && add_type(module, loop_type());
}

bool run_python(PyObject* module, const char* source, const char* name) {
    const py_ref code = py_ref::steal(Py_CompileString(source, name, Py_file_input));
    PyObject* const names = PyModule_GetDict(module);
    if (!code || PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) != 0) {
        return false;
    }
    return static_cast<bool>(py_ref::steal(PyEval_EvalCode(code.get(), names, names)));
}

bool run_python_half(PyObject* module) {
    return run_python(module, watchers_source, "<unicoro gevent/watchers.py>") &&
           run_python(module, loop_source, "<unicoro gevent/loop.py>");
}

PyObject* pass_on_signals(PyObject*, PyObject* fd) {
    const long number = PyLong_AsLong(fd);
    if (PyErr_Occurred() != nullptr) return nullptr;
    signal_pipe::pass_on_to(static_cast<int>(number));
    Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"_pass_on_signals", &pass_on_signals, METH_O, "To this wake-up descriptor, or -1."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "_unicoro_gevent",
    "gevent's loop on Unicoro's.",
    -1,
    functions,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

PyObject* make_module() {
    watch_forks();
    py_ref module = py_ref::steal(PyModule_Create(&definition));
    if (!module || !add_types(module.get()) || !run_python_half(module.get())) return nullptr;
    Py_XSETREF(events_marker(), PyObject_GetAttrString(module.get(), "EVENTS"));
    Py_XSETREF(loop_py(), Py_NewRef(module.get()));
    return events_marker() != nullptr ? module.release() : nullptr;
}

PyObject* call_loop_py(const char* function, PyObject* argument) {
    return PyObject_CallMethod(loop_py(), function, "O", argument);
}

}  // namespace unicoro::python::gevent

// SPDX-License-Identifier: MIT
#include "python/gevent/callback_queue.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/server_seat.hpp"
#include "python/gevent/signal_pipe.hpp"
#include "python/gevent/watcher.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"

namespace unicoro::python::gevent {
namespace {

constexpr const char* module_name = "_unicoro_gevent";

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

/// Brings the loop itself and its rarer watchers into this module, which they import.
bool add_python_half(PyObject* module) {
    PyObject* const modules = PyImport_GetModuleDict();
    if (PyDict_SetItemString(modules, module_name, module) != 0) return false;
    if (package::find("_unicoro.gevent_loop", "loop")) return true;
    // Most likely there is no gevent, which the next one who asks must hear as well.
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    if (PyDict_DelItemString(modules, module_name) != 0) PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return false;
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
    module_name,
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
    if (!module || !add_types(module.get()) || !add_python_half(module.get())) return nullptr;
    Py_XSETREF(events_marker(), PyObject_GetAttrString(module.get(), "EVENTS"));
    Py_XSETREF(loop_py(), Py_NewRef(module.get()));
    return events_marker() != nullptr ? module.release() : nullptr;
}

PyObject* call_loop_py(const char* function, PyObject* argument) {
    return PyObject_CallMethod(loop_py(), function, "O", argument);
}

}  // namespace unicoro::python::gevent

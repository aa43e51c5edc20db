// SPDX-License-Identifier: MIT
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/wsgi/greenlets/greenlet_slate.hpp"

// Calls a function in a greenlet as often as it is told, and says after each call whether the greenlet could
// carry another request: what the server asks between two of them.
namespace {

using unicoro::python::greenlet_api;
using unicoro::python::greenlet_slate;
using unicoro::python::py_ref;

/// Of the trial that runs: what is called, in whose child.
PyObject* work = nullptr;
PyObject* parent = nullptr;
long times = 0;

PyObject* carry(PyObject*, PyObject*) {
    // Not kept: one more reference would be taken for what a request has left.
    PyObject* const carrier = greenlet_api::current().get();
    const greenlet_slate slate(carrier, parent);
    py_ref clean = py_ref::steal(PyList_New(0));
    for (long call = 0; clean && call < times; ++call) {
        const py_ref done = py_ref::steal(PyObject_CallNoArgs(work));
        if (!done || PyList_Append(clean.get(), slate.wipe() ? Py_True : Py_False) != 0) return nullptr;
    }
    return clean.release();
}

PyMethodDef carry_method{"carry", &carry, METH_NOARGS, "Runs in the greenlet."};

PyObject* run(PyObject*, PyObject* arguments) {
    if (PyArg_ParseTuple(arguments, "Ol", &work, &times) == 0 || !greenlet_api::import()) return nullptr;
    const py_ref here = greenlet_api::current();
    parent = here.get();
    const py_ref entry = py_ref::steal(PyCFunction_New(&carry_method, nullptr));
    const py_ref carrier = entry ? greenlet_api::make(entry.get(), parent) : py_ref();
    return carrier ? greenlet_api::switch_to(carrier.get()).release() : nullptr;
}

PyMethodDef methods[] = {
    {"run", &run, METH_VARARGS, "run(function, times) -> a list of bool"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "_unicoro_slate",
    nullptr,
    -1,
    methods,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit__unicoro_slate() {
    return PyModule_Create(&definition);
}

// SPDX-License-Identifier: MIT
#include "python/runtime/stage_functions.hpp"

#include <unicoro/stage.hpp>

namespace unicoro::python {
namespace {

PyObject* drains(PyObject*, PyObject*) {
    return PyBool_FromLong(draining() ? 1 : 0);
}

PyObject* stops(PyObject*, PyObject*) {
    return PyBool_FromLong(stopping() ? 1 : 0);
}

PyMethodDef functions[] = {
    {"draining",
     &drains,
     METH_NOARGS,
     "draining()\n--\n\nTrue once this worker ends: what has no end of its own should come to one."},
    {"stopping",
     &stops,
     METH_NOARGS,
     "stopping()\n--\n\nTrue once the server was told to stop, also while shutdown_delay lets it serve on."},
    {},
};

}  // namespace

stage_functions stage_functions::make() noexcept {
    return {
        py_ref::steal(PyCFunction_New(&functions[0], nullptr)),
        py_ref::steal(PyCFunction_New(&functions[1], nullptr))
    };
}

bool add_stage_functions(PyObject* module) noexcept {
    return PyModule_AddFunctions(module, functions) == 0;
}

}  // namespace unicoro::python

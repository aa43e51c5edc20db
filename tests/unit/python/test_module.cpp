// SPDX-License-Identifier: MIT
// The tests as a module `python_test`, since the process they need is a Python.
#define DOCTEST_CONFIG_IMPLEMENT
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/python.hpp"
#include "support/doctest.hpp"

#include <cstdlib>

namespace {

// Without the end of Python: objects of the tests refer to it until the process ends.
PyObject* run(PyObject*, PyObject*) {
    unsetenv("LD_PRELOAD");
    if (!unicoro::python::package::install() || !unicoro::python::interpreter::begin()) return nullptr;
    doctest::Context context;
    std::_Exit(context.run());
}

PyMethodDef functions[] = {{"run", &run, METH_NOARGS, "Runs all tests, and ends the process."}, {}};

PyModuleDef definition{
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "python_test",
    .m_doc = nullptr,
    .m_size = -1,
    .m_methods = functions,
    .m_slots = nullptr,
    .m_traverse = nullptr,
    .m_clear = nullptr,
    .m_free = nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit_python_test() {
    return PyModule_Create(&definition);
}

// SPDX-License-Identifier: MIT
#include "python/gevent/call_args.hpp"

namespace unicoro::python::gevent {
namespace call_args_detail {

std::size_t find(const char* const* parameters, std::size_t count, PyObject* name) {
    for (std::size_t i = 0; i < count; ++i) {
        if (PyUnicode_CompareWithASCIIString(name, parameters[i]) == 0) return i;
    }
    PyErr_Format(PyExc_TypeError, "unexpected keyword argument '%U'", name);
    return count;
}

void too_many(std::size_t most, Py_ssize_t given) {
    PyErr_Format(PyExc_TypeError, "takes at most %zu arguments (%zd given)", most, given);
}

void given_twice(const char* parameter) {
    PyErr_Format(PyExc_TypeError, "multiple values for argument '%s'", parameter);
}

}  // namespace call_args_detail

long to_long(PyObject* value, long otherwise) {
    return value == nullptr || value == Py_None ? otherwise : PyLong_AsLong(value);
}

double to_double(PyObject* value, double otherwise) {
    return value == nullptr ? otherwise : PyFloat_AsDouble(value);
}

bool to_bool(PyObject* value, bool otherwise) {
    return value == nullptr || value == Py_None ? otherwise : PyObject_IsTrue(value) > 0;
}

PyObject* tuple_of(PyObject* const* args, Py_ssize_t count) {
    PyObject* const made = PyTuple_New(count);
    if (made == nullptr) return nullptr;
    for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(made, i, Py_NewRef(args[i]));
    return made;
}

}  // namespace unicoro::python::gevent

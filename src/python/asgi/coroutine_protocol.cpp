// SPDX-License-Identifier: MIT
#include "python/asgi/coroutine_protocol.hpp"

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {
namespace {

/// StopIteration with a value that is a tuple or an exception must not be taken apart.
void stop_with(PyObject* value) {
    if (value == Py_None) return PyErr_SetNone(PyExc_StopIteration);
    const py_ref stop = py_ref::steal(PyObject_CallOneArg(PyExc_StopIteration, value));
    if (stop) PyErr_SetObject(PyExc_StopIteration, stop.get());
}

PyObject* next(PyObject* object) {
    return send_to_coroutine(object, Py_None);
}

}  // namespace

void make_awaitable(PyTypeObject& type, PyAsyncMethods& async, sendfunc step, PyMethodDef* methods) noexcept {
    async.am_await = &PyObject_SelfIter;
    async.am_send = step;
    type.tp_as_async = &async;
    type.tp_iternext = &next;
    type.tp_methods = methods;
}

PyObject* send_to_coroutine(PyObject* object, PyObject* argument) {
    PyObject* result = nullptr;
    const PySendResult outcome = Py_TYPE(object)->tp_as_async->am_send(object, argument, &result);
    if (outcome == PYGEN_NEXT) return result;
    if (outcome == PYGEN_RETURN) {
        stop_with(result);
        Py_DECREF(result);
    }
    return nullptr;
}

PyObject* raise_given(PyObject* const* arguments, Py_ssize_t count) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "throw expected at least 1 argument");
    } else if (PyExceptionInstance_Check(arguments[0])) {
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(arguments[0])), arguments[0]);
    } else if (PyExceptionClass_Check(arguments[0])) {
        PyErr_SetObject(arguments[0], count > 1 ? arguments[1] : nullptr);
    } else {
        PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
    }
    return nullptr;
}

PyObject* throw_on(PyObject* inner, PyObject* const* arguments, Py_ssize_t count) {
    const py_ref method = py_ref::steal(PyObject_GetAttrString(inner, "throw"));
    if (!method) return nullptr;
    return PyObject_Vectorcall(method.get(), arguments, static_cast<std::size_t>(count), nullptr);
}

PySendResult refuse_reuse() noexcept {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    return PYGEN_ERROR;
}

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#include "python/gevent/callback_queue.hpp"

#include "python/runtime/py_ref.hpp"
#include "python/runtime/static_type.hpp"

#include <structmember.h>

#include <cstddef>

namespace unicoro::python::gevent {
namespace {

callback_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<callback_object*>(object);
}

int traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(self_of(object).callback);
    Py_VISIT(self_of(object).args);
    return 0;
}

int clear(PyObject* object) {
    Py_CLEAR(self_of(object).callback);
    Py_CLEAR(self_of(object).args);
    return 0;
}

void dealloc(PyObject* object) {
    PyObject_GC_UnTrack(object);
    clear(object);
    PyObject_GC_Del(object);
}

PyObject* stop(PyObject* object, PyObject*) {
    Py_XSETREF(self_of(object).callback, Py_NewRef(Py_None));
    Py_XSETREF(self_of(object).args, Py_NewRef(Py_None));
    Py_RETURN_NONE;
}

int is_true(PyObject* object) {
    return self_of(object).args != Py_None;
}

PyObject* is_pending(PyObject* object, void*) {
    return PyBool_FromLong(self_of(object).callback != Py_None);
}

PyObject* represent(PyObject* object) {
    if (Py_ReprEnter(object) != 0) return PyUnicode_FromString("<...>");
    const callback_object& self = self_of(object);
    py_ref text = py_ref::steal(PyUnicode_FromFormat("<callback at 0x%zx", object));
    const auto add = [&](const char* format, PyObject* what) {
        if (!text) return;
        const py_ref more = py_ref::steal(PyUnicode_FromFormat(format, what));
        text = py_ref::steal(more ? PyUnicode_Concat(text.get(), more.get()) : nullptr);
    };
    const bool pending = self.callback != Py_None;
    if (pending) add(" pending callback=%R", self.callback);
    if (self.args != Py_None) add(" args=%R", self.args);
    if (!pending && self.args == Py_None) add(" stopped", nullptr);
    add(">", nullptr);
    Py_ReprLeave(object);
    return text.release();
}

PyObject* make_new(PyTypeObject*, PyObject* args, PyObject* named) {
    static const char* const names[] = {"callback", "args", nullptr};
    PyObject *function = nullptr, *its = nullptr;
    if (!PyArg_ParseTupleAndKeywords(
            args, named, "OO!:callback", const_cast<char**>(names), &function, &PyTuple_Type, &its
        )) {
        return nullptr;
    }
    return reinterpret_cast<PyObject*>(make_callback(function, its));
}

}  // namespace

PyTypeObject* callback_type() {
    static PyTypeObject type{};
    static PyMethodDef methods[] = {
        {"stop", &stop, METH_NOARGS, "Lets it not run."},
        {"close", &stop, METH_NOARGS, "The same as stop."},
        {nullptr, nullptr, 0, nullptr},
    };
    static PyMemberDef members[] = {
        {"callback", T_OBJECT, offsetof(callback_object, callback), 0, nullptr},
        {"args", T_OBJECT, offsetof(callback_object, args), 0, nullptr},
        {nullptr, 0, 0, 0, nullptr},
    };
    static PyGetSetDef properties[] = {
        {"pending", &is_pending, nullptr, "Whether it is still to run.", nullptr},
        {nullptr, nullptr, nullptr, nullptr, nullptr},
    };
    static PyNumberMethods number{};
    if (begin_type(
            type,
            "_unicoro_gevent.callback",
            sizeof(callback_object),
            &dealloc,
            "A function that will run soon. True until it has run."
        )) {
        type.tp_flags |= Py_TPFLAGS_HAVE_GC;
        type.tp_traverse = &traverse;
        type.tp_clear = &clear;
        type.tp_methods = methods;
        type.tp_members = members;
        type.tp_getset = properties;
        number.nb_bool = &is_true;
        type.tp_as_number = &number;
        type.tp_repr = &represent;
        type.tp_new = &make_new;
    }
    return ready_type(type);
}

callback_object* make_callback(PyObject* function, PyObject* args) noexcept {
    static PyTypeObject* const type = callback_type();
    callback_object* const made = PyObject_GC_New(callback_object, type);
    if (made == nullptr) return nullptr;
    made->callback = Py_NewRef(function);
    made->args = Py_NewRef(args);
    made->next = nullptr;
    PyObject_GC_Track(reinterpret_cast<PyObject*>(made));
    return made;
}

}  // namespace unicoro::python::gevent

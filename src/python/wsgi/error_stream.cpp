// SPDX-License-Identifier: MIT
#include "python/wsgi/error_stream.hpp"

#include "log/log.hpp"
#include "python/runtime/static_type.hpp"
#include "python/runtime/traceback.hpp"

#include <new>
#include <string>
#include <string_view>

namespace unicoro::python {
namespace {

// A text without any newline is not held back for ever.
constexpr std::size_t most_held = 64 * 1024;

struct stream_object {
    PyObject_HEAD std::string held;  // the beginning of a line
};

stream_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<stream_object*>(object);
}

bool append(stream_object& self, PyObject* text) {
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "wsgi.errors takes str, not %.100s", Py_TYPE(text)->tp_name);
        return false;
    }
    self.held += to_utf8(text);
    const std::size_t end = self.held.rfind('\n');
    if (end != std::string::npos) {
        log::write_ready(std::string_view(self.held).substr(0, end + 1));
        self.held.erase(0, end + 1);
    } else if (self.held.size() > most_held) {
        log::write_ready(self.held);
        self.held.clear();
    }
    return true;
}

PyObject* write(PyObject* object, PyObject* text) {
    if (!append(self_of(object), text)) return nullptr;
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

PyObject* writelines(PyObject* object, PyObject* lines) {
    const py_ref each = py_ref::steal(PyObject_GetIter(lines));
    if (!each) return nullptr;
    while (const py_ref line = py_ref::steal(PyIter_Next(each.get()))) {
        if (!append(self_of(object), line.get())) return nullptr;
    }
    if (PyErr_Occurred() != nullptr) return nullptr;
    Py_RETURN_NONE;
}

PyObject* flush(PyObject* object, PyObject*) {
    stream_object& self = self_of(object);
    if (!self.held.empty()) {
        self.held += '\n';
        log::write_ready(self.held);
        self.held.clear();
    }
    Py_RETURN_NONE;
}

void dealloc(PyObject* object) {
    self_of(object).held.~basic_string();
    PyObject_Free(object);
}

PyTypeObject* stream_type() {
    static PyTypeObject type{};
    static PyMethodDef methods[] = {
        {"write", &write, METH_O, "write(text) -> int"},
        {"writelines", &writelines, METH_O, "writelines(iterable of str)"},
        {"flush", &flush, METH_NOARGS, "Writes a line that is not ended yet."},
        {nullptr, nullptr, 0, nullptr},
    };
    if (begin_type(
            type, "unicoro.ErrorStream", sizeof(stream_object), &dealloc, "The error log (wsgi.errors)."
        )) {
        type.tp_methods = methods;
    }
    return ready_type(type);
}

}  // namespace

py_ref make_error_stream() {
    py_ref made = new_object<stream_object>(stream_type());
    if (made) new (&self_of(made.get()).held) std::string();
    return made;
}

}  // namespace unicoro::python

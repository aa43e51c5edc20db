// SPDX-License-Identifier: MIT
#include "python/asgi/message.hpp"

#include "python/asgi/asgi_names.hpp"
#include "python/runtime/text.hpp"

#include <climits>

namespace unicoro::python::message {
namespace {

std::optional<std::string_view> utf8(PyObject* text, PyObject* key) noexcept {
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%R must be a str, not %.100s", key, Py_TYPE(text)->tp_name);
        return std::nullopt;
    }
    Py_ssize_t size = 0;
    const char* const bytes = PyUnicode_AsUTF8AndSize(text, &size);
    if (bytes == nullptr) return std::nullopt;
    return std::string_view(bytes, static_cast<std::size_t>(size));
}

/// The bytes of a header's name or value.
std::optional<std::string_view> octets(PyObject* object) noexcept {
    if (PyBytes_Check(object)) return view_of(object);
    if (PyByteArray_Check(object)) {
        return std::string_view(
            PyByteArray_AS_STRING(object), static_cast<std::size_t>(PyByteArray_GET_SIZE(object))
        );
    }
    PyErr_Format(
        PyExc_TypeError,
        "a response header's name and value must be bytes, not %.100s",
        Py_TYPE(object)->tp_name
    );
    return std::nullopt;
}

bool add_header(http::response_head& head, PyObject* item) {
    const py_ref pair =
        py_ref::steal(PySequence_Fast(item, "each response header must be a pair (name, value)"));
    if (!pair) return false;
    if (PySequence_Fast_GET_SIZE(pair.get()) != 2) {
        PyErr_Format(PyExc_ValueError, "each response header must be a pair, one is %R", item);
        return false;
    }
    PyObject** const parts = PySequence_Fast_ITEMS(pair.get());
    const auto name = octets(parts[0]);
    if (!name) return false;
    const auto value = octets(parts[1]);
    if (!value) return false;
    if (!head.add(*name, *value)) return true;
    PyErr_Format(
        PyExc_ValueError,
        "the response header %R: %R cannot be sent: a name is a token, a value has no control "
        "characters, Content-Length is a number and comes once",
        parts[0],
        parts[1]
    );
    return false;
}

}  // namespace

std::optional<std::string_view> type_of(PyObject* message) {
    if (!PyDict_Check(message)) {
        PyErr_Format(PyExc_TypeError, "a message must be a dict, not %.100s", Py_TYPE(message)->tp_name);
        return std::nullopt;
    }
    PyObject* const key = asgi_names::all().type;
    PyObject* const type = PyDict_GetItemWithError(message, key);
    if (type != nullptr) return utf8(type, key);
    if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_KeyError, "type");
    return std::nullopt;
}

PyObject* item(PyObject* message, PyObject* key) noexcept {
    PyObject* const value = PyDict_GetItemWithError(message, key);
    return value == Py_None ? nullptr : value;
}

std::optional<bool> flag(PyObject* message, PyObject* key) noexcept {
    PyObject* const value = item(message, key);
    if (value == nullptr) {
        if (PyErr_Occurred() != nullptr) return std::nullopt;
        return false;
    }
    if (value == Py_False || value == Py_True) return value == Py_True;
    const int truth = PyObject_IsTrue(value);
    if (truth < 0) return std::nullopt;
    return truth > 0;
}

std::optional<int> number(PyObject* message, PyObject* key, int otherwise) {
    PyObject* const value = item(message, key);
    if (value == nullptr) {
        if (PyErr_Occurred() != nullptr) return std::nullopt;
        return otherwise;
    }
    // Also http.HTTPStatus and the like.
    const py_ref index = py_ref::steal(PyNumber_Index(value));
    if (!index) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%R must be an int, not %.100s", key, Py_TYPE(value)->tp_name);
        return std::nullopt;
    }
    int overflow = 0;
    const long found = PyLong_AsLongAndOverflow(index.get(), &overflow);
    if (overflow != 0 || found > INT_MAX || found < INT_MIN) return INT_MAX;
    return static_cast<int>(found);
}

std::optional<std::string_view> text(PyObject* message, PyObject* key) {
    PyObject* const value = item(message, key);
    if (value != nullptr) return utf8(value, key);
    if (PyErr_Occurred() != nullptr) return std::nullopt;
    return std::string_view();
}

py_ref bytes(PyObject* message, PyObject* key) {
    PyObject* const value = item(message, key);
    if (value == nullptr) {
        if (PyErr_Occurred() != nullptr) return {};
        return py_ref::borrow(asgi_names::all().no_bytes);
    }
    if (PyBytes_CheckExact(value)) return py_ref::borrow(value);
    if (!PyObject_CheckBuffer(value)) {
        PyErr_Format(PyExc_TypeError, "%R must be bytes, not %.100s", key, Py_TYPE(value)->tp_name);
        return {};
    }
    return py_ref::steal(PyBytes_FromObject(value));
}

bool add_headers(http::response_head& head, PyObject* message) {
    PyObject* const headers = item(message, asgi_names::all().headers);
    if (headers == nullptr) return PyErr_Occurred() == nullptr;
    const py_ref list = py_ref::steal(PySequence_Fast(headers, "'headers' must be an iterable of pairs"));
    if (!list) return false;
    // By index: what a header's own code does to the list must not matter.
    for (Py_ssize_t at = 0; at < PySequence_Fast_GET_SIZE(list.get()); ++at) {
        const py_ref each = py_ref::borrow(PySequence_Fast_GET_ITEM(list.get(), at));
        if (!add_header(head, each.get())) return false;
    }
    return true;
}

bool add_links(http::response_head& hints, PyObject* message) {
    PyObject* const links = item(message, asgi_names::all().links);
    if (links == nullptr) {
        if (PyErr_Occurred() == nullptr) {
            PyErr_SetString(PyExc_ValueError, "http.response.early_hint has no 'links'");
        }
        return false;
    }
    const py_ref list = py_ref::steal(PySequence_Tuple(links));
    if (!list) return false;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(list.get()); ++at) {
        PyObject* const each = PyTuple_GET_ITEM(list.get(), at);
        const auto value = octets(each);
        if (!value) return false;
        if (hints.add("Link", *value)) {
            PyErr_Format(PyExc_ValueError, "the link %R cannot be sent: it has control characters", each);
            return false;
        }
    }
    return true;
}

bool fill_head(http::response_head& head, PyObject* message) {
    PyObject* const key = asgi_names::all().status;
    head.reset();
    if (item(message, key) == nullptr) {
        if (PyErr_Occurred() == nullptr) {
            PyErr_SetString(PyExc_ValueError, "the response has no 'status'");
        }
        return false;
    }
    const std::optional<int> status = number(message, key, 0);
    if (!status) return false;
    if (head.set_status(*status)) {
        PyErr_Format(PyExc_ValueError, "'status' must be from 200 to 599, it is %R", item(message, key));
        return false;
    }
    if (add_headers(head, message)) return true;
    head.reset();
    return false;
}

}  // namespace unicoro::python::message

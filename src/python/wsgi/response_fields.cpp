// SPDX-License-Identifier: MIT
#include "python/wsgi/response_fields.hpp"

#include "base/text.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/text.hpp"

#include <optional>
#include <string_view>

namespace unicoro::python {
namespace {

/// A native string's bytes. Nothing, with an exception set, for other types and beyond Latin-1.
std::optional<std::string_view> native(PyObject* text, const char* what) noexcept {
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", what, Py_TYPE(text)->tp_name);
        return std::nullopt;
    }
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(text) != 0) return std::nullopt;
#endif
    if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
        PyErr_Format(PyExc_ValueError, "%s has characters beyond Latin-1 (PEP 3333): %R", what, text);
        return std::nullopt;
    }
    return std::string_view(
        reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text)),
        static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))
    );
}

bool set_status(http::response_head& head, PyObject* status) {
    const std::optional<std::string_view> text = native(status, "the status");
    if (!text) return false;
    const std::string_view code = text->substr(0, 3);
    const std::optional<int> number = base::parse_integer<int>(code);
    std::string_view rest = text->substr(code.size());
    const bool well_formed = number && code.size() == 3 && (rest.empty() || rest.front() == ' ');
    if (well_formed && !rest.empty()) rest.remove_prefix(1);
    if (!well_formed || head.set_status(*number, rest)) {
        PyErr_Format(
            PyExc_ValueError,
            "the status must be a number from 200 to 599, a space and a reason without control "
            "characters, such as '200 OK'; it is %R",
            status
        );
        return false;
    }
    return true;
}

bool add_pair(
    http::response_head& head,
    PyObject* name_object,
    std::string_view name,
    PyObject* value_object,
    std::string_view value
) {
    if (!head.add(name, value)) return true;
    PyErr_Format(
        PyExc_ValueError,
        "the response header %R: %R cannot be sent: a name is a token, a value has no control "
        "characters, Content-Length is a number and comes once",
        name_object,
        value_object
    );
    return false;
}

bool add_field(http::response_head& head, PyObject* item) {
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
        PyErr_Format(PyExc_TypeError, "each response header must be a tuple (name, value); one is %R", item);
        return false;
    }
    PyObject* const name_object = PyTuple_GET_ITEM(item, 0);
    PyObject* const value_object = PyTuple_GET_ITEM(item, 1);
    const std::optional<std::string_view> name = native(name_object, "a response header's name");
    if (!name) return false;
    const std::optional<std::string_view> value = native(value_object, "a response header's value");
    if (!value) return false;
    return add_pair(head, name_object, *name, value_object, *value);
}

std::optional<std::string_view> native_or_bytes(PyObject* text, const char* what) noexcept {
    if (!PyBytes_Check(text)) return native(text, what);
    return view_of(text);
}

bool add_hint(http::response_head& hints, PyObject* item) {
    const py_ref pair = py_ref::steal(PySequence_Tuple(item));
    if (!pair) return false;
    if (PyTuple_GET_SIZE(pair.get()) != 2) {
        PyErr_Format(PyExc_ValueError, "each early hint must be a pair (name, value); one is %R", item);
        return false;
    }
    PyObject* const name_object = PyTuple_GET_ITEM(pair.get(), 0);
    PyObject* const value_object = PyTuple_GET_ITEM(pair.get(), 1);
    const auto name = native_or_bytes(name_object, "an early hint's name");
    if (!name) return false;
    const auto value = native_or_bytes(value_object, "an early hint's value");
    return value && add_pair(hints, name_object, *name, value_object, *value);
}

bool fill(http::response_head& head, PyObject* status, PyObject* headers) {
    if (!set_status(head, status)) return false;
    const py_ref list = py_ref::steal(PySequence_Fast(headers, "the response headers must be a list"));
    if (!list) return false;
    PyObject** const items = PySequence_Fast_ITEMS(list.get());
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(list.get());
    for (Py_ssize_t at = 0; at < count; ++at) {
        if (!add_field(head, items[at])) return false;
    }
    return true;
}

}  // namespace

bool fill_response_head(http::response_head& head, PyObject* status, PyObject* headers) {
    head.reset();
    if (fill(head, status, headers)) return true;
    head.reset();
    return false;
}

bool fill_hints(http::response_head& hints, PyObject* headers) {
    const py_ref list = py_ref::steal(PySequence_Tuple(headers));
    if (!list) return false;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(list.get()); ++at) {
        if (!add_hint(hints, PyTuple_GET_ITEM(list.get(), at))) return false;
    }
    return true;
}

}  // namespace unicoro::python

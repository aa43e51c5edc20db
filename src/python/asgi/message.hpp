// SPDX-License-Identifier: MIT
#pragma once

#include "http/response_head.hpp"
#include "python/runtime/py_ref.hpp"

#include <optional>
#include <string_view>

namespace unicoro::python {

/// What an application sends, read and checked. Every call with the GIL; what fails sets a Python
/// exception that names what is wrong.
namespace message {

/// Its "type"; valid as long as the message.
[[nodiscard]] std::optional<std::string_view> type_of(PyObject* message);

/// An item; null without an exception when there is none or it is None. Borrowed.
[[nodiscard]] PyObject* item(PyObject* message, PyObject* key) noexcept;

/// An item that is true or false; false when there is none.
[[nodiscard]] std::optional<bool> flag(PyObject* message, PyObject* key) noexcept;

/// An item that is an int.
[[nodiscard]] std::optional<int> number(PyObject* message, PyObject* key, int otherwise);

/// A str as UTF-8, empty when there is none; valid as long as the message.
[[nodiscard]] std::optional<std::string_view> text(PyObject* message, PyObject* key);

/// An item with bytes, as a bytes object; an empty one when there is none.
[[nodiscard]] py_ref bytes(PyObject* message, PyObject* key);

/// Adds "headers" to a head; those are pairs of bytes.
[[nodiscard]] bool add_headers(http::response_head& head, PyObject* message);

/// Adds "links", an iterable of bytes, as Link fields to the head of an early hint.
[[nodiscard]] bool add_links(http::response_head& hints, PyObject* message);

/// Fills a head from "status" and "headers". The head is empty when it fails.
[[nodiscard]] bool fill_head(http::response_head& head, PyObject* message);

}  // namespace message
}  // namespace unicoro::python

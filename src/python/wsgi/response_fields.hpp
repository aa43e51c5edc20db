// SPDX-License-Identifier: MIT
#pragma once

#include "http/response_head.hpp"
#include "python/runtime/python.hpp"

namespace unicoro::python {

/// Fills `head` from the status ("200 OK") and the headers (a list of (str, str)) of a
/// start_response call. False with a Python exception set that names what is wrong; `head` is empty
/// then. With the GIL. What the application gives may run code of its own, which may wait: `head` must
/// not be one that a request has lent.
[[nodiscard]] bool fill_response_head(http::response_head& head, PyObject* status, PyObject* headers);

/// The same of the headers of an early hint, whose names and values may also be bytes.
[[nodiscard]] bool fill_hints(http::response_head& hints, PyObject* headers);

}  // namespace unicoro::python

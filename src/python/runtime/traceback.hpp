// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <string>

namespace unicoro::python {

/// Takes the exception that is set, normalised; nothing when none is. With the GIL.
[[nodiscard]] py_ref take_exception() noexcept;

/// The traceback of an exception as text, without a newline at the end; never fails, leaves no
/// exception set. With the GIL.
[[nodiscard]] std::string describe_exception(PyObject* exception);

/// Whether an exception is of that type, or one that led to it is, as where a framework has wrapped it.
/// With the GIL.
[[nodiscard]] bool stems_from(PyObject* exception, PyObject* type) noexcept;

/// The calls that led to `frame`, as text; empty for None. Never fails, leaves no exception set. With
/// the GIL.
[[nodiscard]] std::string describe_stack(PyObject* frame);

/// The same of a thread, by Python's number of it.
[[nodiscard]] std::string describe_thread(unsigned long thread);

/// UTF-8 of a str, whatever it holds; empty for anything else. With the GIL.
[[nodiscard]] std::string to_utf8(PyObject* text);

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python {

/// Raises an exception of this type in another thread, at the next step that it takes in Python; what it
/// waits for in C goes on. With the GIL.
void raise_in(PyThreadState& thread, PyObject* type) noexcept;

/// In that thread, with the GIL: what it has not taken of that yet never comes.
void drop_raised() noexcept;

}  // namespace unicoro::python

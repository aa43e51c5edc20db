// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// Sets an item; a value that could not be made counts as a failure. False with an exception set.
[[nodiscard]] inline bool put(PyObject* dict, PyObject* key, PyObject* value) noexcept {
    return value != nullptr && PyDict_SetItem(dict, key, value) == 0;
}
[[nodiscard]] inline bool put(PyObject* dict, PyObject* key, const py_ref& value) noexcept {
    return put(dict, key, value.get());
}

}  // namespace unicoro::python

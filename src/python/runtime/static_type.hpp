// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <cstddef>

namespace unicoro::python {

/// A zeroed static type object with name, size and deallocator; the caller adds slots, then readies
/// it.
inline void begin_type(
    PyTypeObject& type, const char* name, std::size_t size, destructor dealloc, const char* doc
) noexcept {
    Py_SET_REFCNT(reinterpret_cast<PyObject*>(&type), 1);
    type.tp_name = name;
    type.tp_basicsize = static_cast<Py_ssize_t>(size);
    type.tp_dealloc = dealloc;
    type.tp_flags = Py_TPFLAGS_DEFAULT;
    type.tp_doc = doc;
}

/// Readies it once. False with a Python exception set.
[[nodiscard]] inline bool ready_type(PyTypeObject& type) noexcept {
    return (type.tp_flags & Py_TPFLAGS_READY) != 0 || PyType_Ready(&type) == 0;
}

}  // namespace unicoro::python

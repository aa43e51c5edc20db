// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <cstddef>

namespace unicoro::python {

/// Gives a static type, zeroed at first, its name, size and deallocator; false when it has them already. The
/// caller adds what else it has, and readies it.
[[nodiscard]] inline bool begin_type(
    PyTypeObject& type, const char* name, std::size_t size, destructor dealloc, const char* doc
) noexcept {
    if (type.tp_name != nullptr) return false;
    Py_SET_REFCNT(reinterpret_cast<PyObject*>(&type), 1);
    type.tp_name = name;
    type.tp_basicsize = static_cast<Py_ssize_t>(size);
    type.tp_dealloc = dealloc;
    type.tp_flags = Py_TPFLAGS_DEFAULT;
    type.tp_doc = doc;
    return true;
}

/// Readies it once. Null with a Python exception set.
[[nodiscard]] inline PyTypeObject* ready_type(PyTypeObject& type) noexcept {
    return (type.tp_flags & Py_TPFLAGS_READY) != 0 || PyType_Ready(&type) == 0 ? &type : nullptr;
}

/// A new object of a type that takes no part in the collection of garbage: what follows its head is not
/// initialised, and its deallocator ends with PyObject_Free. Nothing, with an exception set, when `type`
/// is null or there is no memory.
template <class Struct>
[[nodiscard]] py_ref new_object(PyTypeObject* type) noexcept {
    if (type == nullptr) return {};
    auto* const memory = static_cast<PyObject*>(PyObject_Malloc(sizeof(Struct)));
    return py_ref::steal(memory != nullptr ? PyObject_Init(memory, type) : PyErr_NoMemory());
}

}  // namespace unicoro::python

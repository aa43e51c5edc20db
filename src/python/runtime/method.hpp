// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// METH_FASTCALL, also with METH_KEYWORDS (`fast_named`), as a PyMethodDef has it.
template <class Function>
[[nodiscard]] PyCFunction fast(Function* function) noexcept {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

inline constexpr int fast_named = METH_FASTCALL | METH_KEYWORDS;

/// A function of Python that works on `object`, which must outlive every call of it, and finds it by
/// `bound_object`. With the GIL; nothing with an exception set.
[[nodiscard]] inline py_ref bound_method(PyMethodDef& method, void* object) noexcept {
    const py_ref self = py_ref::steal(PyCapsule_New(object, nullptr, nullptr));
    return self ? py_ref::steal(PyCFunction_New(&method, self.get())) : py_ref();
}

template <class Object>
[[nodiscard]] Object& bound_object(PyObject* self) noexcept {
    return *static_cast<Object*>(PyCapsule_GetPointer(self, nullptr));
}

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#include "python/greenlet_slate.hpp"

#include <utility>

namespace unicoro::python {
namespace {

/// A new greenlet begins without a context, and gets one with its first variable.
bool leave_context() noexcept {
    PyThreadState* const thread = PyThreadState_Get();
    if (thread->context == nullptr) return true;
    PyObject* const left = std::exchange(thread->context, nullptr);
    ++thread->context_ver;
    Py_DECREF(left);
    // What its values do at their end may have begun another one.
    return thread->context == nullptr;
}

}  // namespace

bool greenlet_slate::wipe() const noexcept {
    const PyTypeObject* const type = Py_TYPE(greenlet_);
    return leave_context() && !has(type->tp_weaklistoffset) && !has(type->tp_dictoffset) &&
           Py_REFCNT(greenlet_) == references_;
}

// Where a future greenlet keeps them in another way, each of them counts as used.
bool greenlet_slate::has(Py_ssize_t offset) const noexcept {
    if (offset <= 0) return true;
    return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(greenlet_) + offset) != nullptr;
}

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/greenlet_slate.hpp"

#include "python/runtime/greenlet_api.hpp"

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

PyObject* member_at(PyObject* object, Py_ssize_t offset) noexcept {
    return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
}

}  // namespace

bool greenlet_slate::wipe() const noexcept {
    return leave_context() && !has_weak_references() && !has_attributes() &&
           Py_REFCNT(greenlet_) == references_ && !has_another_parent();
}

// Where a future greenlet keeps them in another way, it counts as used.
bool greenlet_slate::has_weak_references() const noexcept {
    const Py_ssize_t offset = Py_TYPE(greenlet_)->tp_weaklistoffset;
    return offset <= 0 || member_at(greenlet_, offset) != nullptr;
}

bool greenlet_slate::has_attributes() const noexcept {
    const Py_ssize_t offset = Py_TYPE(greenlet_)->tp_dictoffset;
    if (offset <= 0) return true;
    PyObject* const attributes = member_at(greenlet_, offset);
    // A dictionary that something else holds can be filled later.
    return attributes != nullptr && (PyDict_GET_SIZE(attributes) > 0 || Py_REFCNT(attributes) > 1);
}

bool greenlet_slate::has_another_parent() const noexcept {
    const py_ref parent = greenlet_api::parent_of(greenlet_);
    if (!parent) PyErr_Clear();
    return parent.get() != parent_;
}

}  // namespace unicoro::python

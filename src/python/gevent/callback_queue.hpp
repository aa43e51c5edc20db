// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <cstddef>
#include <utility>

namespace unicoro::python::gevent {

/// What `run_callback` returns (ICallback). A Python object.
struct callback_object {
    PyObject_HEAD PyObject* callback;  ///< None when it was stopped or has begun to run
    PyObject* args;                    ///< None when it was stopped or has run
    callback_object* next;
};

/// The type, readied; null with an exception set.
[[nodiscard]] PyTypeObject* callback_type();

/// Null with an exception set.
[[nodiscard]] callback_object* make_callback(PyObject* function, PyObject* args) noexcept;

/// Callbacks in the order they were asked for. Owns a reference to each.
class callback_queue {
  public:
    callback_queue() = default;
    callback_queue(const callback_queue&) = delete;
    callback_queue& operator=(const callback_queue&) = delete;
    ~callback_queue() { clear(); }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] callback_object* first() const noexcept { return first_; }

    void append(callback_object* added) noexcept {
        Py_INCREF(added);
        (last_ != nullptr ? last_->next : first_) = added;
        last_ = added;
    }

    /// The caller owns it.
    [[nodiscard]] callback_object* take() noexcept {
        callback_object* const taken = first_;
        first_ = std::exchange(taken->next, nullptr);
        if (first_ == nullptr) last_ = nullptr;
        return taken;
    }

    void clear() noexcept {
        while (!empty()) Py_DECREF(take());
    }

  private:
    callback_object* first_ = nullptr;
    callback_object* last_ = nullptr;
};

}  // namespace unicoro::python::gevent

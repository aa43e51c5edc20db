// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <utility>

namespace unicoro::python {

/// Owns one reference to a Python object, or nothing. Made, copied and destroyed with the GIL held.
class py_ref {
  public:
    py_ref() noexcept = default;
    py_ref(py_ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    py_ref& operator=(py_ref&& other) noexcept {
        py_ref old(std::move(*this));
        object_ = std::exchange(other.object_, nullptr);
        return *this;
    }
    ~py_ref() { Py_XDECREF(object_); }

    /// Takes over a new reference, as most of Python's functions return it.
    [[nodiscard]] static py_ref steal(PyObject* object) noexcept { return py_ref(object); }
    /// Adds a reference to one that someone else owns.
    [[nodiscard]] static py_ref borrow(PyObject* object) noexcept {
        Py_XINCREF(object);
        return py_ref(object);
    }

    [[nodiscard]] PyObject* get() const noexcept { return object_; }
    [[nodiscard]] PyObject* release() noexcept { return std::exchange(object_, nullptr); }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }
    void reset() noexcept { py_ref gone(std::move(*this)); }

  private:
    explicit py_ref(PyObject* object) noexcept : object_(object) {}

    PyObject* object_ = nullptr;
};

}  // namespace unicoro::python

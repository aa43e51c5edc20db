// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// The C interface of the package greenlet, taken from the application's environment when it runs
/// (its capsule `greenlet._C_API`, the same slots from 0.4 to 3.x), so that the module needs no header
/// of it. Every call with the GIL.
class greenlet_api {
  public:
    /// Imports greenlet. False with a Python exception set.
    [[nodiscard]] static bool import() noexcept;

    /// A greenlet that will call `run` when it is switched to first.
    [[nodiscard]] static py_ref make(PyObject* run, PyObject* parent) noexcept;
    /// Goes on in that greenlet; returns when something switches back to this one, with what it sent.
    [[nodiscard]] static py_ref switch_to(PyObject* greenlet) noexcept;
    /// The same, raising `exception` there.
    [[nodiscard]] static py_ref throw_into(PyObject* greenlet, PyObject* exception) noexcept;
    [[nodiscard]] static py_ref current() noexcept;
    /// Where a greenlet goes on that ends. Empty with a Python exception set.
    [[nodiscard]] static py_ref parent_of(PyObject* greenlet) noexcept;
};

}  // namespace unicoro::python

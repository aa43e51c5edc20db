// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python {

/// Whether a greenlet is as it was before it ran a request, so that it can run another one which
/// cannot tell it from a new one. Greenlet-locals (gevent.local, a patched threading.local) hang on a
/// weak reference to the greenlet; what is to happen to it later, on a reference. In that greenlet,
/// which must not have waited since, with the GIL.
class greenlet_slate {
  public:
    /// `greenlet` runs as a child of `parent`; both outlive this.
    greenlet_slate(PyObject* greenlet, PyObject* parent) noexcept
        : greenlet_(greenlet), parent_(parent), references_(Py_REFCNT(greenlet)) {}

    /// Ends the context (PEP 567) in which the request ran. False when anything else is left of it,
    /// which only the end of the greenlet takes away.
    [[nodiscard]] bool wipe() const noexcept;

  private:
    [[nodiscard]] bool has_weak_references() const noexcept;
    [[nodiscard]] bool has_attributes() const noexcept;
    [[nodiscard]] bool has_another_parent() const noexcept;

    PyObject* greenlet_;
    PyObject* parent_;
    Py_ssize_t references_;
};

}  // namespace unicoro::python

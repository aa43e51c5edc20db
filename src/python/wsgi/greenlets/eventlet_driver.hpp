// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/greenlets/loop_driver.hpp"

namespace unicoro::python {

/// eventlet on the worker's io_context: its hub keeps its own epoll, which is one descriptor of the
/// reactor, and waits there; requests are greenlets of the hub.
class eventlet_driver final : public loop_driver {
  public:
    explicit eventlet_driver(shared_reactor& reactor) noexcept : loop_driver(reactor) {}

    std::string package() const override { return "eventlet"; }
    bool prepare() override;

  private:
    static PyObject* wait_method(PyObject* self, PyObject* seconds);
    [[nodiscard]] PyObject* wait(PyObject* seconds);
    py_ref enter_hub() override;
    void stopped() override { ended_ = true; }

    bool ended_ = false;
};

}  // namespace unicoro::python

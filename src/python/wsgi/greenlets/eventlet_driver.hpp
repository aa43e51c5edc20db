// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/greenlets/greenlet_runner.hpp"
#include "python/wsgi/greenlets/loop_driver.hpp"

namespace unicoro::python {

/// eventlet on the worker's io_context: its hub keeps its own epoll, which is one descriptor of the
/// reactor, and waits there; requests are greenlets of the hub.
class eventlet_driver final : public loop_driver {
  public:
    explicit eventlet_driver(shared_reactor& reactor) noexcept : reactor_(reactor), requests_(reactor) {}

    std::string package() const override { return "eventlet"; }
    bool prepare() override;
    wsgi_runner& runner() noexcept override { return requests_; }
    bool idle() const noexcept override { return requests_.idle(); }
    void drive() override;

  private:
    static PyObject* wait_method(PyObject* self, PyObject* seconds);
    [[nodiscard]] PyObject* wait(PyObject* seconds);

    shared_reactor& reactor_;
    greenlet_runner requests_;
    py_ref hub_;
    py_ref main_;
    bool ended_ = false;
};

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/greenlets/greenlet_runner.hpp"

#include <functional>
#include <string>

namespace unicoro::python {

/// A loop of greenlets (gevent's, eventlet's) that drives the worker in place of io_context::run. One
/// per process; every call with the GIL. Never destroyed once it has driven: what ends Python (threads,
/// atexit functions) may wait in the hub once more, whose greenlet stands in the middle of it.
class loop_driver {
  public:
    loop_driver(const loop_driver&) = delete;
    loop_driver& operator=(const loop_driver&) = delete;
    virtual ~loop_driver() = default;

    /// The package it needs in the application's environment.
    [[nodiscard]] virtual std::string package() const = 0;

    /// Makes the standard library cooperative and the loop ready. Before the application is
    /// imported. False with a Python exception set.
    [[nodiscard]] virtual bool prepare() = 0;

    [[nodiscard]] wsgi_runner& runner() noexcept { return requests_; }
    /// No request's greenlet is in an application any more.
    [[nodiscard]] bool idle() const noexcept { return requests_.idle(); }

    /// The greenlet of its loop when other loops can live beside it, else null.
    [[nodiscard]] virtual PyObject* hub() const noexcept { return nullptr; }
    /// `turn` is called there in each turn, outside of Asio; `end` in the main greenlet when the
    /// io_context has stopped.
    virtual void also(std::function<void()>, std::function<void()>) {}

    /// Runs until the io_context is stopped. In the main greenlet, as `prepare`.
    void drive();

  protected:
    explicit loop_driver(shared_reactor& reactor) noexcept : reactor_(reactor), requests_(reactor) {}

    /// From the hub to the main greenlet, which `drive` waits in.
    void leave_hub() noexcept;

    shared_reactor& reactor_;
    greenlet_runner requests_;
    py_ref hub_;
    py_ref main_;

  private:
    /// Until something comes back to the main greenlet; nothing with an exception set.
    [[nodiscard]] virtual py_ref enter_hub() = 0;
    /// The io_context has stopped.
    virtual void stopped() = 0;
};

}  // namespace unicoro::python

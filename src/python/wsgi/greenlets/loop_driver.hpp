// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/wsgi_runner.hpp"

#include <functional>
#include <string>

namespace unicoro::python {

/// A loop of greenlets (gevent's, eventlet's) that drives the worker in place of io_context::run. One
/// per process; every call with the GIL. Never destroyed once it has driven: what ends Python (threads,
/// atexit functions) may wait in the hub once more, whose greenlet stands in the middle of it.
class loop_driver {
  public:
    loop_driver() = default;
    loop_driver(const loop_driver&) = delete;
    loop_driver& operator=(const loop_driver&) = delete;
    virtual ~loop_driver() = default;

    /// The package it needs in the application's environment.
    [[nodiscard]] virtual std::string package() const = 0;

    /// Makes the standard library cooperative and the loop ready. Before the application is
    /// imported. False with a Python exception set.
    [[nodiscard]] virtual bool prepare() = 0;

    [[nodiscard]] virtual wsgi_runner& runner() noexcept = 0;
    /// No request's greenlet is in an application any more.
    [[nodiscard]] virtual bool idle() const noexcept = 0;

    /// The greenlet of its loop when other loops can live beside it, else null.
    [[nodiscard]] virtual PyObject* hub() const noexcept { return nullptr; }
    /// `turn` is called there in each turn, outside of Asio; `end` in the main greenlet when the
    /// io_context has stopped.
    virtual void also(std::function<void()>, std::function<void()>) {}

    /// Runs until the io_context is stopped.
    virtual void drive() = 0;
};

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "python/gevent/gevent_loop.hpp"
#include "python/wsgi/greenlets/greenlet_runner.hpp"
#include "python/wsgi/greenlets/loop_driver.hpp"

#include <functional>
#include <utility>

namespace unicoro::python {

/// gevent on the worker's io_context: its hub runs on gevent_loop, and requests are greenlets of it.
class gevent_driver final : public loop_driver, private hub_turn {
  public:
    explicit gevent_driver(shared_reactor& reactor) noexcept : reactor_(reactor), requests_(reactor) {}

    std::string package() const override { return "gevent"; }
    bool prepare() override;
    wsgi_runner& runner() noexcept override { return requests_; }
    bool idle() const noexcept override { return requests_.idle(); }
    void drive() override;
    PyObject* hub() const noexcept override { return hub_.get(); }
    void also(std::function<void()> turn, std::function<void()> end) override {
        other_turn_ = std::move(turn);
        other_end_ = std::move(end);
    }

  private:
    void run() override;

    shared_reactor& reactor_;
    greenlet_runner requests_;
    py_ref hub_;
    py_ref main_;
    std::function<void()> other_turn_;
    std::function<void()> other_end_;
};

}  // namespace unicoro::python

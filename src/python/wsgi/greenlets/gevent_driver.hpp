// SPDX-License-Identifier: MIT
#pragma once

#include "python/gevent/gevent_loop.hpp"
#include "python/wsgi/greenlets/loop_driver.hpp"

#include <functional>
#include <utility>

namespace unicoro::python {

/// gevent on the worker's io_context: its hub runs on gevent_loop, and requests are greenlets of it.
class gevent_driver final : public loop_driver, private hub_turn {
  public:
    explicit gevent_driver(shared_reactor& reactor) noexcept : loop_driver(reactor) {}

    std::string package() const override { return "gevent"; }
    bool prepare() override;
    PyObject* hub() const noexcept override { return hub_.get(); }
    void also(std::function<void()> turn, std::function<void()> end) override {
        other_turn_ = std::move(turn);
        other_end_ = std::move(end);
    }

  private:
    void run() override;
    py_ref enter_hub() override;
    void stopped() override;

    std::function<void()> other_turn_;
    std::function<void()> other_end_;
};

}  // namespace unicoro::python

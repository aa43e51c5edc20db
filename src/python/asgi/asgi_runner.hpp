// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/asgi/asgi_application.hpp"
#include "python/asgi/asgi_loop.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace unicoro::python {

/// Serves ASGI applications on asyncio's loop, a task per request. One per worker.
class asgi_runner {
  public:
    asgi_runner(shared_reactor& reactor, app::worker_context& context);
    asgi_runner(const asgi_runner&) = delete;
    asgi_runner& operator=(const asgi_runner&) = delete;

    // --- with the GIL

    /// Makes the event loop, and makes it this thread's. Before the applications are imported. False
    /// with a Python exception set.
    [[nodiscard]] bool prepare() { return loop_.prepare(); }
    [[nodiscard]] asgi_loop& loop() noexcept { return loop_; }
    /// Runs the loop until the io_context is stopped, then ends it: pending tasks are cancelled.
    void drive() { loop_.drive(); }

    // --- on the loop, as app::host has them

    awaitable<std::optional<app::load_error>> start(asgi_application& application);
    awaitable<void> stop(asgi_application& application);
    awaitable<void> handle(asgi_application& application, app::exchange& request);

  private:
    awaitable<void> background_work();
    awaitable<void> begin_when_let_in(asgi_application& application, app::exchange& request);
    awaitable<void> begin(asgi_application& application, app::exchange& request);

    app::worker_context& context_;
    asgi_loop loop_;
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        executor>
        quiet_;
};

}  // namespace unicoro::python

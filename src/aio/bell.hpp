// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>

namespace unicoro::aio {

/// Lets coroutines wait until something they look at has changed: look, wait, look again. Worker only.
class bell {
  public:
    explicit bell(asio::io_context& io) : timer_(io, std::chrono::steady_clock::time_point::max()) {}

    /// Ends the waits that run at this moment.
    void ring() { timer_.cancel(); }

    /// Throws operation_aborted when the coroutine was cancelled before; a wait that is cancelled ends.
    awaitable<void> wait();

  private:
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        executor>
        timer_;
};

}  // namespace unicoro::aio

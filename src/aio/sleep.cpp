// SPDX-License-Identifier: MIT
#include <unicoro/sleep.hpp>

#include "aio/asio.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace unicoro {

awaitable<void> sleep_for(std::chrono::nanoseconds duration) {
    const executor here = co_await asio::this_coro::executor;
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        executor>
        timer(here, std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration));
    co_await timer.async_wait(use_awaitable);
}

}  // namespace unicoro

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <memory>
#include <tuple>

namespace unicoro::aio {

/// Wakes one waiting coroutine. A `set` that nobody waits for is kept for the next `wait`; several
/// count as one. Must outlive the wait. On the loop's thread, in a handler or outside of any.
class event {
  public:
    explicit event(asio::io_context& io) noexcept;
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    ~event();

    /// The coroutine goes on in a handler of its own, never inside of this call.
    void set();

    /// One at a time. Fails with operation_aborted when it is cancelled.
    [[nodiscard]] awaitable<std::tuple<error_code>> wait();

  private:
    struct waiter;
    class completion;
    template <class Handler>
    struct waiter_of;

    void start(std::unique_ptr<waiter> waiting);
    void complete(error_code ec);

    asio::io_context& io_;
    std::unique_ptr<waiter> waiting_;
    bool set_ = false;
};

}  // namespace unicoro::aio

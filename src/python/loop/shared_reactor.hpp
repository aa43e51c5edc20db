// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "aio/handler_memory.hpp"
#include "python/loop/epoll_watch.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <optional>

namespace unicoro::python {

/// What a foreign event loop (gevent's, asyncio's, eventlet's) stands on: it waits in an io_context
/// instead of in a system call of its own (docs/design.md). The foreign loop keeps its descriptors in an
/// epoll of its own, which is one level-triggered descriptor here.
///
/// `wait` runs handlers of the io_context. No greenlet may be switched to in them: they leave word and
/// call `interrupt`, and the caller of `wait` acts when it has returned.
///
/// One per thread and io_context. The io_context must outlive it.
class shared_reactor {
  public:
    using clock = std::chrono::steady_clock;

    explicit shared_reactor(asio::io_context& io);
    shared_reactor(const shared_reactor&) = delete;
    shared_reactor& operator=(const shared_reactor&) = delete;

    /// Watches `epoll_fd`, by a duplicate of it. Replaces one watched before.
    [[nodiscard]] error_code watch(int epoll_fd) { return epoll_.open(epoll_fd); }
    void unwatch() noexcept { epoll_.close(); }

    /// Runs the handlers that are ready, not those that they make ready. When there was none, waits until
    /// the watched descriptor is ready, `interrupt` or `wake` is called, the io_context is stopped
    /// or the time has come: a point in time, or none = without limit; one in the past = does not
    /// wait. With the GIL, which others get only while this really waits. True when the watched
    /// descriptor is ready; it is reported again until what made it ready is taken.
    bool wait(std::optional<clock::time_point> until);

    /// Makes the `wait` in progress, or the next one, return. On this thread.
    void interrupt() noexcept { interrupted_ = true; }

    /// The same from any thread. Not from a signal handler.
    void wake();

    [[nodiscard]] bool stopped() const noexcept { return io_.stopped(); }
    [[nodiscard]] asio::io_context& context() noexcept { return io_; }

  private:
    void run_ready();
    void run_rest();
    [[nodiscard]] bool has_news() const noexcept { return epoll_.ready() || interrupted_ || io_.stopped(); }
    void block(std::optional<clock::time_point> until);
    void set_alarm(clock::time_point at);

    asio::io_context& io_;
    asio::executor_work_guard<executor> work_;
    epoll_watch epoll_;
    bool interrupted_ = false;
    // The handler that ends a round, while it is queued: there is one at a time, in memory of its own.
    class round_end;
    aio::handler_memory round_end_memory_;
    bool round_end_queued_ = false;
    bool in_round_ = false;
    bool round_over_ = false;
    // For times that are too near for a reactor that counts milliseconds.
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor> alarm_;
    bool alarm_set_ = false;
};

}  // namespace unicoro::python

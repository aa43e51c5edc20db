// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>
#include <deque>

namespace unicoro::aio {

namespace detail {
using deadline_hook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
}

/// A point in time at which something is told that it took too long. Lives in its owner; disarms
/// itself when destroyed. Worker only.
class deadline : public detail::deadline_hook {
  public:
    using callback = void (*)(deadline& self, void* owner) noexcept;

    deadline(callback on_expiry, void* owner) noexcept : on_expiry_(on_expiry), owner_(owner) {}
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;

    [[nodiscard]] bool armed() const noexcept { return is_linked(); }
    void disarm() noexcept {
        if (is_linked()) unlink();
    }

  private:
    friend class deadline_service;

    callback on_expiry_;
    void* owner_;
    std::int64_t expiry_ = 0;  // coarse monotonic nanoseconds
};

/// Deadlines of one duration, in the order in which they were armed and so will expire.
class deadline_queue {
  public:
    explicit deadline_queue(std::chrono::nanoseconds duration) noexcept : duration_(duration) {}

  private:
    friend class deadline_service;

    using list = boost::intrusive::list<
        deadline,
        boost::intrusive::base_hook<detail::deadline_hook>,
        boost::intrusive::constant_time_size<false>>;

    std::chrono::nanoseconds duration_;
    list armed_;
};

/// All deadlines of a worker behind one timer: arming is a list insertion, no system call. Expiry is
/// late by up to about 10 ms, never early.
class deadline_service {
  public:
    explicit deadline_service(asio::io_context& io) : timer_(io) {}
    deadline_service(const deadline_service&) = delete;
    deadline_service& operator=(const deadline_service&) = delete;

    /// The queue for a duration; stays valid as long as the service. Zero means never.
    [[nodiscard]] deadline_queue& queue(std::chrono::nanoseconds duration);

    /// (Re-)arms; on a queue of zero duration it only disarms.
    void arm(deadline& which, deadline_queue& queue);

  private:
    void schedule(std::int64_t when);
    void sweep();

    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        executor>
        timer_;
    std::deque<deadline_queue> queues_;
    std::int64_t scheduled_ = INT64_MAX;
};

/// CLOCK_MONOTONIC_COARSE in nanoseconds: cheap, a few milliseconds behind.
[[nodiscard]] std::int64_t coarse_now() noexcept;

}  // namespace unicoro::aio

// SPDX-License-Identifier: MIT
#include "aio/deadline.hpp"

#include <algorithm>
#include <ctime>

namespace unicoro::aio {
namespace {

// The coarse clock may stand up to one kernel tick (4 ms at 250 Hz, 10 ms at 100 Hz) behind the timer.
constexpr std::int64_t clock_slack = 10'000'000;

}  // namespace

std::int64_t coarse_now() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

deadline_queue& deadline_service::queue(std::chrono::nanoseconds duration) {
    const auto known = std::find_if(queues_.begin(), queues_.end(), [&](const deadline_queue& q) {
        return q.duration_ == duration;
    });
    return known != queues_.end() ? *known : queues_.emplace_back(duration);
}

void deadline_service::arm(deadline& which, deadline_queue& queue) {
    which.disarm();
    if (queue.duration_ == std::chrono::nanoseconds::zero()) return;
    which.expiry_ = coarse_now() + queue.duration_.count();
    queue.armed_.push_back(which);
    if (which.expiry_ < scheduled_) schedule(which.expiry_);
}

void deadline_service::schedule(std::int64_t when) {
    scheduled_ = when;
    timer_.expires_after(std::chrono::nanoseconds(when - coarse_now() + clock_slack));
    timer_.async_wait([this](const error_code& ec) {
        if (!ec) sweep();
    });
}

void deadline_service::sweep() {
    scheduled_ = INT64_MAX;
    const std::int64_t now = coarse_now();
    std::int64_t next = INT64_MAX;
    for (deadline_queue& queue : queues_) {
        while (!queue.armed_.empty() && queue.armed_.front().expiry_ <= now) {
            deadline& expired = queue.armed_.front();
            queue.armed_.pop_front();
            expired.on_expiry_(expired, expired.owner_);
        }
        if (!queue.armed_.empty()) next = std::min(next, queue.armed_.front().expiry_);
    }
    // A callback may have armed one meanwhile and scheduled it already.
    if (next < scheduled_) schedule(next);
}

}  // namespace unicoro::aio

// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

namespace unicoro::log {

/// Who of this process's threads may touch something, for a few non-blocking calls at most. A fork at any
/// moment leaves nothing locked: a holder of another process was the parent's thread, and is not here.
class process_lock {
  public:
    /// 0 = nobody.
    using holder = std::atomic<pid_t>;

    explicit process_lock(holder& of) noexcept : of_(of), self_(::getpid()) {
        for (pid_t seen = 0; !of_.compare_exchange_weak(seen, self_);) {
            if (seen != self_) continue;
            seen = 0;
            ::sched_yield();
        }
    }
    process_lock(const process_lock&) = delete;
    process_lock& operator=(const process_lock&) = delete;
    ~process_lock() { of_ = 0; }

    /// The process.
    [[nodiscard]] pid_t self() const noexcept { return self_; }

  private:
    holder& of_;
    pid_t self_;
};

}  // namespace unicoro::log

// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <chrono>
#include <string>

namespace unicoro::os {

/// Looks at the calls a thread is in from another thread, by interrupting it with a signal: a system call
/// that waits goes on, or ends with EINTR (signal(7)). One object in a process, made by the thread that is
/// looked at, which must not end before it.
class thread_stack {
  public:
    /// Takes a signal that nobody handles; without one, nothing is ever told.
    thread_stack() noexcept;
    thread_stack(const thread_stack&) = delete;
    thread_stack& operator=(const thread_stack&) = delete;
    ~thread_stack();

    /// The innermost call first, each a line of its own; not those of the program's loop that lead to a
    /// library's. Empty when it cannot be told within that time. From any other thread, one at a time.
    [[nodiscard]] std::string take(std::chrono::milliseconds patience) const;

  private:
    pthread_t watched_;
    int signal_ = 0;
};

}  // namespace unicoro::os

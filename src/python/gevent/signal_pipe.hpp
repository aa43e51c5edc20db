// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <array>

namespace unicoro::python::gevent {

/// Makes signals visible to a loop: a pipe that handlers write to. The handlers are the loop's own,
/// for its signal watchers, and Python's, by its wake-up descriptor. One per loop, made when
/// needed. A signal belongs to one loop at a time.
class signal_pipe {
  public:
    signal_pipe() = default;
    signal_pipe(const signal_pipe&) = delete;
    signal_pipe& operator=(const signal_pipe&) = delete;
    ~signal_pipe();

    /// Makes the pipe when there is none, or after a fork a new one.
    [[nodiscard]] error_code open();
    [[nodiscard]] bool is_open() const noexcept { return ends_[0] >= 0; }
    [[nodiscard]] int read_end() const noexcept { return ends_[0]; }
    [[nodiscard]] int write_end() const noexcept { return ends_[1]; }

    /// Installs a handler that is this pipe's, and puts back what was there before.
    [[nodiscard]] error_code catch_signal(int signum) noexcept;
    void release_signal(int signum) noexcept;

    /// Empties the pipe. What Python's handlers wrote goes to the wake-up descriptor that the
    /// application has set, too.
    void drain() noexcept;

    /// Tells that descriptor; -1: none.
    static void pass_on_to(int applications) noexcept;

    /// True once for each time the handler ran since it was asked last.
    [[nodiscard]] static bool take(int signum) noexcept;

  private:
    std::array<int, 2> ends_{-1, -1};
};

}  // namespace unicoro::python::gevent

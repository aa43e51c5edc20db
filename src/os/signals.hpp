// SPDX-License-Identifier: MIT
#pragma once

#include "os/forks.hpp"

#include <unicoro/result.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <span>
#include <string>

namespace unicoro::os {

/// The signals a process waits for instead of being interrupted by them: blocked, and read from a
/// descriptor that poll(2) reports. The kernel keeps one pending signal of each kind.
class signal_source {
  public:
    /// Blocks the signals for this thread and those made later; not in what the application forks. Threads
    /// that were there before hand theirs on to this one, which must live as long as the source.
    [[nodiscard]] static result<signal_source> open(std::span<const int> signals) noexcept;

    signal_source(signal_source&& other) noexcept = default;
    ~signal_source();

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// The next pending signal; nothing when there is none. Never waits.
    [[nodiscard]] std::optional<int> next() noexcept;

  private:
    signal_source(unique_fd fd, const sigset_t& signals);

    withheld_fd fd_;
    std::array<struct sigaction, NSIG> before_{};  // of the signals that are its
};

/// While one lives, the signals of the process's signal_source are not blocked, as programs and children that
/// the application starts meanwhile expect. Those that come are kept and arrive when it ends, whatever
/// handler the application has for them. One at a time, on the thread of the source; nothing without a
/// source.
class signals_let_in {
  public:
    signals_let_in() noexcept;
    signals_let_in(const signals_let_in&) = delete;
    signals_let_in& operator=(const signals_let_in&) = delete;
    ~signals_let_in();

  private:
    sigset_t let_in_;
    std::array<struct sigaction, NSIG> before_{};
};

/// While one lives, no signal reaches this thread, nor those that it starts, ever: signals are for the thread
/// that waits for them. A child that is forked meanwhile runs no handler of this process.
class signals_held_back {
  public:
    signals_held_back() noexcept;
    signals_held_back(const signals_held_back&) = delete;
    signals_held_back& operator=(const signals_held_back&) = delete;
    ~signals_held_back();

  private:
    sigset_t before_;
};

/// After fork: every signal has its default action and none is blocked, as a new program expects.
void reset_signals() noexcept;

/// A write to a closed pipe or socket, or beyond the limit of file size, is an error of that write and
/// does not end the process.
void ignore_write_signals() noexcept;

/// Children that the application forks get their default action back. Python's do not: it ignores them
/// by itself (`keep_write_signals`).
void withhold_write_signals();
void keep_write_signals() noexcept;

/// "SIGKILL", or "signal 65" for a number without a name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <optional>
#include <span>
#include <string>

namespace unicoro::os {

/// The signals a process waits for instead of being interrupted by them: blocked, and read from a
/// descriptor that poll(2) reports. The kernel keeps one pending signal of each kind.
class signal_source {
  public:
    /// Blocks the signals for this thread and those made later.
    [[nodiscard]] static result<signal_source> open(std::span<const int> signals) noexcept;

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// The next pending signal; nothing when there is none. Never waits.
    [[nodiscard]] std::optional<int> next() noexcept;

  private:
    explicit signal_source(unique_fd fd) noexcept : fd_(std::move(fd)) {}

    unique_fd fd_;
};

/// After fork: every signal has its default action and none is blocked, as a new program expects.
void reset_signals() noexcept;

/// A write to a closed pipe or socket, or beyond the limit of file size, is an error of that write and
/// does not end the process.
void ignore_write_signals() noexcept;

/// "SIGKILL", or "signal 65" for a number without a name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace unicoro::os

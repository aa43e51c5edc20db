// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "os/forks.hpp"

namespace unicoro::os {

/// The line from a daemon to the command that started it. That command waits for one report and ends
/// with its code; a daemon that dies without a report makes it end with 1.
class daemon_link {
  public:
    explicit daemon_link(unique_fd write_end) noexcept : write_end_(std::move(write_end)) {}

    /// Releases the waiting command with this exit code. Only the first report counts.
    void report(int code) noexcept;

    /// After fork: the line belongs to the parent.
    void abandon() noexcept { write_end_.reset(); }

  private:
    withheld_fd write_end_;
};

/// Goes into the background: a new session without a terminal, umask 022, the same directory. Returns
/// in the daemon only; the calling process waits for the report and ends. Call it before anything else
/// is opened or locked, and follow it with `detach_streams` when errors can go to the log alone.
[[nodiscard]] outcome<daemon_link> daemonise() noexcept;

/// What becomes of stdout and stderr in a daemon; stdin always reads nothing.
enum class stream_policy {
    silence,          ///< to /dev/null
    keep_unless_tty,  ///< stay where they were redirected to, never on a terminal (`-R`)
    keep,             ///< already taken care of (capture_output)
};

/// Parts with the terminal.
[[nodiscard]] error_code detach_streams(stream_policy policy) noexcept;

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::os {

/// Speaks sd_notify(3) with the service manager, if there is one.
class service_notifier {
  public:
    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment, so
    /// that applications do not speak for the server.
    [[nodiscard]] static service_notifier from_environment();

    service_notifier() = default;

    [[nodiscard]] bool active() const noexcept { return !address_.empty(); }

    /// The interval within which the manager wants a `WATCHDOG=1`; nothing when it does not watch.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

    /// Sends one datagram of "KEY=value" lines, with a descriptor if there is one. Does nothing when not
    /// active; never waits.
    error_code send(std::string_view lines, std::optional<int> fd = {}) const noexcept;

  private:
    std::string address_;  // a path; '@' first for an abstract one
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace unicoro::os

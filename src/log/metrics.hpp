// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace unicoro::log {

/// True when a StatsD daemon is told what is counted here: else nothing need be. Lines of the error log are
/// counted as they are written.
[[nodiscard]] bool metrics_enabled() noexcept;

/// A request has ended. Any thread; never throws, never waits.
void count_request(int status, std::chrono::nanoseconds duration) noexcept;

/// A number of the moment, by gunicorn's name ("gunicorn.workers"). The same.
void gauge(std::string_view name, std::int64_t value) noexcept;

}  // namespace unicoro::log

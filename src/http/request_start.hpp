// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace unicoro::http {

/// How long ago a proxy got the request, by its X-Request-Start field: a time since 1970, with "t=" or
/// without, whose size tells whether it is in seconds, milliseconds, microseconds or nanoseconds. Nothing for
/// what is no such time, lies in the future or more than an hour back.
[[nodiscard]] std::optional<std::chrono::nanoseconds> waited_since(
    std::string_view request_start, std::chrono::system_clock::time_point now
) noexcept;

}  // namespace unicoro::http

// SPDX-License-Identifier: MIT
#include "http/request_start.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace unicoro::http {
namespace {

constexpr double furthest_back = 3600;
// Milliseconds are rounded, up too.
constexpr double a_moment = 0.001;

/// Seconds since 1970: the units are so far apart that no time of this age could be of two.
std::optional<double> seconds_of(std::string_view number) noexcept {
    constexpr double seconds_end = 1e11;
    constexpr double thousand = 1e3;
    if (number.empty() || number.find_first_not_of("0123456789.") != std::string_view::npos) return {};
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size()) return {};
    for (double unit = seconds_end; value >= seconds_end && unit < 1e20; unit *= thousand) value /= thousand;
    return value;
}

}  // namespace

std::optional<std::chrono::nanoseconds> waited_since(
    std::string_view request_start, std::chrono::system_clock::time_point now
) noexcept {
    if (request_start.starts_with("t=")) request_start.remove_prefix(2);
    const std::optional<double> start = seconds_of(request_start);
    if (!start) return std::nullopt;
    const double passed = std::chrono::duration<double>(now.time_since_epoch()).count() - *start;
    if (passed < -a_moment || passed > furthest_back) return std::nullopt;
    return std::chrono::nanoseconds(std::llround(std::max(passed, 0.0) * 1e9));
}

}  // namespace unicoro::http

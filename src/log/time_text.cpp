// SPDX-License-Identifier: MIT
#include "log/time_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace unicoro::log {
namespace {

constexpr std::array<std::string_view, 12> month_names{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

}  // namespace

void time_text::set(std::chrono::system_clock::time_point when) {
    using std::chrono::system_clock;
    const std::time_t second = system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(when));
    if (second == second_) return;

    std::tm local{};
    ::localtime_r(&second, &local);
    const long offset = std::labs(local.tm_gmtoff) / 60;
    const char sign = local.tm_gmtoff < 0 ? '-' : '+';
    const int year = local.tm_year + 1900;
    const int month = local.tm_mon + 1;
    const auto clock = fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
    const auto zone = fmt::format("{}{:02}{:02}", sign, offset / 60, offset % 60);
    const auto date = fmt::format("{:04}-{:02}-{:02}", year, month, local.tm_mday);
    const auto name = month_names[static_cast<std::size_t>(local.tm_mon)];

    error_stamp_ = fmt::format("[{} {} {}]", date, clock, zone);
    common_log_ = fmt::format("[{:02}/{}/{:04}:{} {}]", local.tm_mday, name, year, clock, zone);
    iso_seconds_ = fmt::format("{}T{}", date, clock);
    iso_zone_ = fmt::format("{}{:02}:{:02}", sign, offset / 60, offset % 60);
    second_ = second;
}

const time_text& local_time(std::chrono::system_clock::time_point when) {
    thread_local time_text text;
    text.set(when);
    return text;
}

}  // namespace unicoro::log

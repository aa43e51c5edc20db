// SPDX-License-Identifier: MIT
#include "http2/flood_guard.hpp"

#include <algorithm>

namespace unicoro::http2 {
namespace {

struct allowance {
    double at_once;
    double each_second;
    std::string_view rule;
};

constexpr std::array<allowance, 6> allowances{{
    // A browser that leaves a page gives up what it has asked for, a hundred at a time.
    {400, 40, "more than 400 resets at once, or 40 a second"},
    {40, 4, "more than 40 SETTINGS at once, or 4 a second"},
    {100, 10, "more than 100 PINGs at once, or 10 a second"},
    {100, 10, "more than 100 frames without data at once, or 10 a second"},
    {2000, 20, "WINDOW_UPDATE more often than data goes out (tiny windows)"},
    {1000, 100, "more than 1000 PRIORITY at once, or 100 a second"},
}};

// A frame shorter than this is one of a window that a client opens by a few bytes at a time.
constexpr std::size_t worthwhile = 512;
constexpr double updates_for_a_frame = 4;

const allowance& of(burden what) noexcept {
    return allowances[static_cast<std::size_t>(what)];
}

}  // namespace

bool flood_guard::admit(burden what, time now) noexcept {
    const allowance& most = of(what);
    stock& has = stocks_[static_cast<std::size_t>(what)];
    if (has.left < 0) has = {most.at_once, now};
    const double waited = static_cast<double>(now - has.filled) / 1e9;
    has.left = std::min(most.at_once, has.left + waited * most.each_second);
    has.filled = now;
    if (has.left < 1) return false;
    has.left -= 1;
    return true;
}

void flood_guard::sent_data(std::size_t bytes) noexcept {
    stock& has = stocks_[static_cast<std::size_t>(burden::window_update)];
    if (bytes < worthwhile || has.left < 0) return;
    has.left = std::min(of(burden::window_update).at_once, has.left + updates_for_a_frame);
}

std::string_view flood_guard::rule(burden what) noexcept {
    return of(what).rule;
}

}  // namespace unicoro::http2

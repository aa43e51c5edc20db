// SPDX-License-Identifier: MIT
#include "master/in_flight.hpp"

#include "log/log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

namespace unicoro::master {
namespace {

constexpr std::size_t most_lines = 20;

struct request {
    scoreboard::monotonic_ns started;
    std::string text;
};

template <std::size_t Size>
std::string text_of(const std::array<char, Size>& field) {
    return log::escaped({field.data(), strnlen(field.data(), Size)});
}

}  // namespace

std::vector<std::string> requests_in_flight(
    const scoreboard::table& board, std::size_t slot, scoreboard::monotonic_ns now
) {
    std::vector<request> found;
    scoreboard::for_each_in_flight(board, slot, [&found](const scoreboard::in_flight& entry) {
        const scoreboard::monotonic_ns started = entry.started.load(std::memory_order_acquire);
        if (started == 0) return;
        found.push_back({started, text_of(entry.method) + " " + text_of(entry.target)});
    });
    std::ranges::sort(found, {}, &request::started);
    // Requests beyond the table's size run without an entry and are only counted.
    const std::size_t running = board.slot(slot).running.load();
    const std::size_t all = std::max(running, found.size());
    std::vector<std::string> lines;
    for (const request& each : found) {
        if (lines.size() == most_lines) break;
        const double age = static_cast<double>(now - each.started) / 1e9;
        lines.push_back(fmt::format("{} for {:.1f} s", each.text, age));
    }
    if (all > lines.size()) lines.push_back(fmt::format("and {} more", all - lines.size()));
    return lines;
}

}  // namespace unicoro::master

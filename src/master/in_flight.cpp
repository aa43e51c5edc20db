// SPDX-License-Identifier: MIT
#include "master/in_flight.hpp"

#include "log/access.hpp"
#include "log/log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
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

void write_lost_requests(
    const scoreboard::table& board, std::size_t slot, scoreboard::monotonic_ns now
) {
    if (!log::access_enabled()) return;
    scoreboard::for_each_in_flight(board, slot, [now](const scoreboard::in_flight& entry) {
        const scoreboard::monotonic_ns started = entry.started.load(std::memory_order_acquire);
        if (started == 0) return;
        const auto view = [](const auto& field) {
            return std::string_view(field.data(), strnlen(field.data(), field.size()));
        };
        log::access_record record;
        record.method = view(entry.method);
        record.target = view(entry.target);
        record.path = record.target.substr(0, record.target.find('?'));
        if (record.path.size() < record.target.size()) {
            record.query = record.target.substr(record.path.size() + 1);
        }
        record.protocol = "HTTP/1.1";
        record.status = 502;
        record.finished = std::chrono::system_clock::now();
        record.duration = std::chrono::nanoseconds(now - started);
        log::write_access(record);
    });
}

}  // namespace unicoro::master

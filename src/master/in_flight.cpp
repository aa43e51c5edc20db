// SPDX-License-Identifier: MIT
#include "master/in_flight.hpp"

#include "log/access.hpp"
#include "log/log.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstddef>

namespace unicoro::master {
namespace {

constexpr std::size_t most_lines = 20;

}  // namespace

std::vector<std::string> requests_in_flight(
    const scoreboard::table& board, std::size_t slot, scoreboard::monotonic_ns now
) {
    const scoreboard::running_requests found = scoreboard::read_requests(board, slot, now);
    std::vector<std::string> lines;
    for (const scoreboard::running_request& each : found.listed) {
        if (lines.size() == most_lines) break;
        const double age = static_cast<double>(now - each.started) / 1e9;
        lines.push_back(
            fmt::format("{} {} for {:.1f} s", log::escaped(each.method), log::escaped(each.target), age)
        );
    }
    const std::size_t more = found.listed.size() - lines.size() + found.unlisted;
    if (more > 0) lines.push_back(fmt::format("and {} more", more));
    return lines;
}

void write_lost_requests(const scoreboard::table& board, std::size_t slot, scoreboard::monotonic_ns now) {
    if (!log::access_enabled()) return;
    const scoreboard::running_requests found = scoreboard::read_requests(board, slot, now);
    for (const scoreboard::running_request& each : found.listed) {
        log::access_record record;
        record.method = each.method;
        record.target = each.target;
        record.path = record.target.substr(0, record.target.find('?'));
        if (record.path.size() < record.target.size()) {
            record.query = record.target.substr(record.path.size() + 1);
        }
        record.protocol = "HTTP/1.1";
        record.status = 502;
        record.finished = std::chrono::system_clock::now();
        record.duration = std::chrono::nanoseconds(now - each.started);
        log::write_access(record);
    }
}

}  // namespace unicoro::master

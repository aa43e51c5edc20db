// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/scoreboard.hpp"

#include <string>
#include <vector>

namespace unicoro::master {

/// What the worker in this slot was doing, longest first, as lines for the log:
/// "GET /slow for 31.2 s". Clipped to the twenty longest and a line that counts the others.
[[nodiscard]] std::vector<std::string> requests_in_flight(
    const scoreboard::table& board, std::size_t slot, scoreboard::monotonic_ns now
);

/// An access-log line for each of them: their worker dies and cannot write it. The status is 502, as
/// of a server that was lost behind a proxy; what was sent of a response is not known.
void write_lost_requests(const scoreboard::table& board, std::size_t slot, scoreboard::monotonic_ns now);

}  // namespace unicoro::master

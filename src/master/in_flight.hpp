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

}  // namespace unicoro::master

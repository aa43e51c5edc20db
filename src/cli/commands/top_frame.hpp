// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/terminal.hpp"
#include "cli/commands/views.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::cli {

/// What `unicoro top` has seen at one moment.
struct top_look {
    std::chrono::steady_clock::time_point at;
    server_view server;
    requests_view requests;
};

/// How it is shown.
struct top_manner {
    std::string sort = "worker";  ///< a word of --sort
    bool help = false;
    std::string problem = {};  ///< since when the look is old, and why
};

/// Requests and CPU seconds per second between two looks; none when the counts do not follow from each other.
struct top_rates {
    std::optional<double> requests;
    std::optional<double> cpu;  ///< of all workers that are in both; 1 = one processor
};
[[nodiscard]] top_rates rates_between(const top_look* before, const top_look& now);

/// The lines of a screen of this size, none longer or more than fit there.
[[nodiscard]] std::vector<std::string> top_frame(
    const top_look* before, const top_look& now, const top_manner& how, window_size size
);

/// One line of it all, for a file.
[[nodiscard]] std::string top_line(const top_look* before, const top_look& now);

}  // namespace unicoro::cli

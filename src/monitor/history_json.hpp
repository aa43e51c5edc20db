// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/history.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace unicoro::monitor {

/// The last quarter of an hour as a JSON object (docs/monitoring.md): rates and quantiles between each two
/// samples, of what is later than `since`. `since` as in the times told, seconds of CLOCK_MONOTONIC.
[[nodiscard]] std::string history_json(const history& of, scoreboard::monotonic_ns now, double since);

/// `since` of a query; 0 if it says nothing of it, nothing if what it says is no number.
[[nodiscard]] std::optional<double> read_since(std::string_view query) noexcept;

}  // namespace unicoro::monitor

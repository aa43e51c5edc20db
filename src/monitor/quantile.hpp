// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/counters.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace unicoro::monitor {

/// Counts of each bucket of scoreboard::bucket_bounds, not added up.
using histogram = std::array<std::uint64_t, scoreboard::buckets>;

/// What has come to `later` since `earlier`.
[[nodiscard]] histogram difference(const histogram& later, const histogram& earlier) noexcept;

/// Below which a share of what was measured lies (0 to 1), in seconds: as if within a bucket all lay evenly,
/// and what is beyond the last bound lay on it. Nothing when nothing was measured.
[[nodiscard]] std::optional<double> quantile(const histogram& of, double share) noexcept;

}  // namespace unicoro::monitor

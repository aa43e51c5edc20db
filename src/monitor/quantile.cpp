// SPDX-License-Identifier: MIT
#include "monitor/quantile.hpp"

#include <algorithm>
#include <cstddef>

namespace unicoro::monitor {

histogram difference(const histogram& later, const histogram& earlier) noexcept {
    histogram found{};
    for (std::size_t each = 0; each < found.size(); ++each) {
        found[each] = later[each] - std::min(earlier[each], later[each]);
    }
    return found;
}

std::optional<double> quantile(const histogram& of, double share) noexcept {
    std::uint64_t all = 0;
    for (const std::uint64_t each : of) all += each;
    if (all == 0) return std::nullopt;
    const double wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(all);
    double below = 0;
    double from = 0;
    for (std::size_t bucket = 0; bucket < scoreboard::bucket_bounds.size(); ++bucket) {
        const double to = static_cast<double>(scoreboard::bucket_bounds[bucket]) / 1e9;
        const auto here = static_cast<double>(of[bucket]);
        if (here > 0 && below + here >= wanted) return from + (to - from) * (wanted - below) / here;
        below += here;
        from = to;
    }
    return from;
}

}  // namespace unicoro::monitor

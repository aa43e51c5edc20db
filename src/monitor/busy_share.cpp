// SPDX-License-Identifier: MIT
#include "monitor/busy_share.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace unicoro::monitor {

void busy_share::take(const occupancy& now) noexcept {
    if (now.places == 0) return;
    busy_[taken_++ % samples] = static_cast<double>(now.busy) / static_cast<double>(now.places);
}

int busy_share::free_percent() const noexcept {
    const std::size_t known = std::min(taken_, samples);
    if (known == 0) return 100;
    const double sum =
        std::accumulate(busy_.begin(), busy_.begin() + static_cast<std::ptrdiff_t>(known), 0.0);
    const auto percent = std::lround(100 * (1 - sum / static_cast<double>(known)));
    return static_cast<int>(std::clamp(percent, 1L, 100L));
}

}  // namespace unicoro::monitor

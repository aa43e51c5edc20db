// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/picture.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace unicoro::monitor {

/// How much of the server is free, as the mean of its latest samples: of few places each moment is all or
/// nothing.
class busy_share {
  public:
    static constexpr std::chrono::milliseconds interval{200};
    static constexpr std::size_t samples = 10;

    /// One without places says nothing.
    void take(const occupancy& now) noexcept;

    /// 1 to 100: to a balancer 0 would mean that nothing at all is to come. 100 without a sample.
    [[nodiscard]] int free_percent() const noexcept;

  private:
    std::array<double, samples> busy_{};
    std::size_t taken_ = 0;
};

}  // namespace unicoro::monitor

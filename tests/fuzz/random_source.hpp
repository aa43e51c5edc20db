// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace unicoro::test {

/// The same numbers on every run.
class random_source {
  public:
    std::size_t below(std::size_t limit) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::size_t>((state_ >> 33U) % limit);
    }

  private:
    std::uint64_t state_ = 20240229;
};

}  // namespace unicoro::test

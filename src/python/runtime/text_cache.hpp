// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unicoro::python {

/// Strings seen lately, as str objects: what many requests have in common (hosts, agents,
/// addresses, methods) is made once. Direct mapped, so its size is bounded and a miss costs what no
/// cache costs.
class text_cache {
  public:
    text_cache() = default;
    text_cache(const text_cache&) = delete;
    text_cache& operator=(const text_cache&) = delete;

    /// As `latin1` does it, from the cache when it is there. Long text is not kept.
    [[nodiscard]] py_ref get(std::string_view bytes) noexcept;

  private:
    struct entry {
        std::size_t hash = 0;
        py_ref text;
    };
    std::array<entry, 512> entries_;
};

}  // namespace unicoro::python

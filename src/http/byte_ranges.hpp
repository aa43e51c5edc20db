// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace unicoro::http {

/// Bytes of a representation: `count` of them, never 0, from `first` on.
struct byte_range {
    std::uint64_t first;
    std::uint64_t count;

    bool operator==(const byte_range&) const = default;
};

/// The parts of `size` bytes that a GET asks for (RFC 9110, 14.2), in its order. None: 416. Nothing where it
/// asks for the whole, or is to get that: a Range that cannot be read, more than 16 ranges, or more bytes
/// than there are.
[[nodiscard]] std::optional<std::vector<byte_range>> ranges_asked_for(
    const request_head& head, std::uint64_t size
);

}  // namespace unicoro::http

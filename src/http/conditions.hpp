// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"

#include <cstdint>
#include <string_view>

namespace unicoro::http {

/// What tells one state of a resource from another (RFC 9110, 8.8).
struct validators {
    std::string_view etag;      ///< with its quotes; W/ in front of one that is weak
    std::int64_t modified = 0;  ///< in seconds since 1970
};

enum class condition : std::uint8_t {
    holds,         ///< or there is none
    not_modified,  ///< 304
    failed,        ///< 412
};

/// What a GET or HEAD makes dependent on the state it knows, in the order of RFC 9110, 13.2.2. Fields that
/// cannot be read count for nothing.
[[nodiscard]] condition judge_conditions(const request_head& head, const validators& now) noexcept;

/// Whether the ranges that it asks for are of the state it knows (RFC 9110, 13.1.5); true without If-Range.
/// `dates_tell`: no other representation can have the same date.
[[nodiscard]] bool range_is_current(
    const request_head& head, const validators& now, bool dates_tell = true
) noexcept;

}  // namespace unicoro::http

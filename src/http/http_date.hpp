// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::http {

/// Writes "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string imf_fixdate(std::int64_t unix_seconds);

/// Reads that form, and the two obsolete ones (RFC 9110, 5.6.7); seconds since 1970. Nothing for what is
/// neither, as a recipient ignores it.
[[nodiscard]] std::optional<std::int64_t> read_date(std::string_view text) noexcept;

}  // namespace unicoro::http

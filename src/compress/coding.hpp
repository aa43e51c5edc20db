// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace unicoro::compress {

/// A content coding that responses can be compressed with (RFC 1952, 7932 and 8878).
enum class coding : std::uint8_t { zstd, br, gzip };

inline constexpr std::array codings{coding::zstd, coding::br, coding::gzip};

/// As Content-Encoding has it.
[[nodiscard]] std::string_view name_of(coding which) noexcept;

/// The one of that name, in lower case, whether it is built in or not.
[[nodiscard]] std::optional<coding> coding_named(std::string_view name) noexcept;

/// Whether the library of it is part of this server.
[[nodiscard]] bool is_built_in(coding which) noexcept;

}  // namespace unicoro::compress

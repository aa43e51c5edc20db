// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace unicoro::base {

/// Reads the whole text as a number of this base; nothing when it is empty, signed with '+', has
/// anything around the digits or does not fit.
template <std::integral Integer>
[[nodiscard]] std::optional<Integer> parse_integer(std::string_view text, int base = 10) noexcept {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Reads the whole text as digits with at most one point ("2", "0.5"); no exponent, no infinity.
[[nodiscard]] std::optional<double> parse_decimal(std::string_view text) noexcept;

/// Without the blanks (space, tab, CR, LF, VT, FF) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// Without the slashes at its end.
[[nodiscard]] std::string_view without_slash(std::string_view path) noexcept;

/// ASCII only; other bytes stay as they are.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string to_upper(std::string_view text);

/// The parts between the separators, trimmed, without the empty ones.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text, char separator = ',');

/// True when the text has a control byte (below space, or DEL).
[[nodiscard]] bool has_control_byte(std::string_view text) noexcept;

/// The text as one line for a message: control bytes as \xNN, clipped after `limit` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

/// How many insertions, deletions, substitutions and swaps of neighbours part two words.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

/// The known word that was probably meant, if one is near enough; the earliest of equally near
/// ones. Case and the difference between '-' and '_' count for nothing.
[[nodiscard]] std::optional<std::string_view> nearest(
    std::string_view word, std::span<const std::string_view> known
);

}  // namespace unicoro::base

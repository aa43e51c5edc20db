// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace unicoro::base {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

std::string folded(std::string_view word) {
    std::string result = to_lower(word);
    std::replace(result.begin(), result.end(), '_', '-');
    return result;
}

/// A short word may differ less: otherwise every three-letter word would be near every other.
std::size_t tolerance(std::size_t length) noexcept {
    if (length <= 2) return 0;
    if (length <= 4) return 1;
    if (length <= 8) return 2;
    return 3;
}

}  // namespace

std::optional<double> parse_decimal(std::string_view text) noexcept {
    // from_chars would also take "inf", "nan" and hexadecimal look-alikes.
    const bool plain = !text.empty() && text.find_first_not_of("-.0123456789") == text.npos;
    if (!plain) return std::nullopt;
    double value{};
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view without_slash(std::string_view path) noexcept {
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    return path;
}

std::string to_lower(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
}

std::string to_upper(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(), upper);
    return result;
}

std::vector<std::string> split_list(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const auto end = text.find(separator);
        const auto part = trim(text.substr(0, end));
        if (!part.empty()) parts.emplace_back(part);
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

bool has_control_byte(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), is_control);
}

std::string printable(std::string_view text, std::size_t limit) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string line;
    for (const char c : text.substr(0, limit)) {
        if (!is_control(c)) {
            line += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        line += "\\x";
        line += digits[byte >> 4];
        line += digits[byte & 0xf];
    }
    if (text.size() > limit) line += "...";
    return line;
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before_last(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t substitution = last[j - 1] + (left[i - 1] == right[j - 1] ? 0U : 1U);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
            const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        std::swap(before_last, last);
        std::swap(last, row);
    }
    return last[right.size()];
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
    // Nobody's typing error has this length; the distance costs the product of both lengths.
    if (word.empty() || word.size() > 100) return std::nullopt;
    const std::string wanted = folded(word);
    std::optional<std::string_view> best;
    std::size_t best_distance = tolerance(wanted.size()) + 1;
    for (const std::string_view candidate : known) {
        const std::size_t distance = edit_distance(wanted, folded(candidate));
        if (distance >= best_distance) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

}  // namespace unicoro::base

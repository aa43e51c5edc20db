// SPDX-License-Identifier: MIT
#include "http/byte_ranges.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string_view>

namespace unicoro::http {
namespace {

constexpr std::size_t most_ranges = 16;
constexpr std::string_view unit = "bytes=";

struct read_range {
    bool valid = false;
    std::optional<byte_range> range = {};  // nothing = beyond the end
};

read_range read_one(std::string_view text, std::uint64_t size) noexcept {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return {};
    const std::string_view begin = base::trim(text.substr(0, dash));
    const std::string_view end = base::trim(text.substr(dash + 1));
    const auto last = base::parse_integer<std::uint64_t>(end);
    if (!end.empty() && !last) return {};
    if (begin.empty()) {
        if (!last) return {};
        const std::uint64_t count = std::min(*last, size);
        if (count == 0) return {true};
        return {true, byte_range{size - count, count}};
    }
    const auto first = base::parse_integer<std::uint64_t>(begin);
    if (!first || (last && *last < *first)) return {};
    if (*first >= size) return {true};
    return {true, byte_range{*first, std::min(last.value_or(size - 1), size - 1) - *first + 1}};
}

}  // namespace

std::optional<std::vector<byte_range>> ranges_asked_for(const request_head& head, std::uint64_t size) {
    if (head.method != "GET") return std::nullopt;
    const auto asked = head.find("Range");
    if (!asked || !iequals(asked->substr(0, unit.size()), unit)) return std::nullopt;
    const auto parts = base::split_list(asked->substr(unit.size()));
    if (parts.empty() || parts.size() > most_ranges) return std::nullopt;
    std::vector<byte_range> found;
    std::uint64_t bytes = 0;
    for (const std::string& part : parts) {
        const read_range one = read_one(part, size);
        if (!one.valid) return std::nullopt;
        if (!one.range) continue;
        found.push_back(*one.range);
        // Ranges that overlap could multiply the file.
        bytes += one.range->count;
        if (bytes > size) return std::nullopt;
    }
    return found;
}

}  // namespace unicoro::http

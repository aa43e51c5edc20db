// SPDX-License-Identifier: MIT
#include "cli/commands/text_table.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace unicoro::cli {
namespace {

std::string of_two(std::int64_t great, const char* great_unit, std::int64_t small, const char* small_unit) {
    std::string text = std::to_string(great) + great_unit;
    if (small > 0) text += " " + std::to_string(small) + small_unit;
    return text;
}

}  // namespace

std::string shown(std::string_view text, std::size_t most) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string made;
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte >= ' ' && byte < 0x7f) {
            made += each;
        } else {
            made += "\\x";
            made += digits[byte >> 4];
            made += digits[byte & 0xf];
        }
        if (made.size() <= most) continue;
        made.resize(most > 3 ? most - 3 : 0);
        return made + "...";
    }
    return made;
}

std::string shown_number(double value, int digits) {
    std::array<char, 64> text{};
    // Nothing that is counted here is near it.
    const double believable = std::clamp(value, -1e15, 1e15);
    const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, believable);
    return {text.data(), static_cast<std::size_t>(std::max(length, 0))};
}

std::string shown_time(double seconds) {
    if (!(seconds > 0)) return "0 s";
    if (seconds < 1) return shown_number(seconds, 2) + " s";
    if (seconds < 60) return shown_number(seconds, 1) + " s";
    const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e12));
    if (whole < 3600) return of_two(whole / 60, " min", whole % 60, " s");
    if (whole < 86'400) return of_two(whole / 3600, " h", whole % 3600 / 60, " min");
    return of_two(whole / 86'400, " d", whole % 86'400 / 3600, " h");
}

std::string shown_bytes(double bytes) {
    constexpr std::array<const char*, 4> units{" K", " M", " G", " T"};
    double value = bytes / 1024;
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    return shown_number(value, unit == 0 ? 0 : 1) + units.at(unit);
}

text_table::text_table(std::vector<std::string> head, std::vector<std::size_t> set_left)
    : rows_{std::move(head)}, set_left_(std::move(set_left)) {}

void text_table::add(std::vector<std::string> row) {
    row.resize(rows_.front().size());
    rows_.push_back(std::move(row));
}

std::vector<std::string> text_table::lines() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    std::vector<std::string> made;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            const std::string blanks(widths[column] - row[column].size(), ' ');
            const bool left = std::ranges::find(set_left_, column) != set_left_.end();
            if (column > 0) line += "  ";
            line += left ? row[column] + blanks : blanks + row[column];
        }
        line.resize(line.find_last_not_of(' ') + 1);
        made.push_back(std::move(line));
    }
    return made;
}

}  // namespace unicoro::cli

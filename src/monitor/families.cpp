// SPDX-License-Identifier: MIT
#include "monitor/families.hpp"

#include "scoreboard/counters.hpp"

#include <fmt/core.h>

#include <utility>

namespace unicoro::monitor {
namespace {

void append_escaped(std::string& to, std::string_view text, bool quoted) {
    for (const char c : text) {
        if (c == '\\') {
            to += "\\\\";
        } else if (c == '\n') {
            to += "\\n";
        } else if (c == '"' && quoted) {
            to += "\\\"";
        } else {
            to += c;
        }
    }
}

}  // namespace

// OpenMetrics wants bounds of buckets to be written as floats ("1.0").
std::string number_text(double value) {
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
}

void families::begin(
    std::string_view name, std::string_view type, std::string_view help, std::string_view unit
) {
    name_ = name;
    const bool open = how_ == exposition::openmetrics;
    const std::string family = name_ + std::string(open ? std::string_view() : suffix_);
    text_ += fmt::format("# HELP {} ", family);
    append_escaped(text_, help, open);
    text_ += fmt::format("\n# TYPE {} {}\n", family, type);
    if (open && !unit.empty()) text_ += fmt::format("# UNIT {} {}\n", family, unit);
}

void families::begin_counter(std::string_view name, std::string_view help, std::string_view unit) {
    suffix_ = "_total";
    begin(name, "counter", help, unit);
}

void families::begin_gauge(std::string_view name, std::string_view help, std::string_view unit) {
    suffix_ = {};
    begin(name, "gauge", help, unit);
}

void families::begin_histogram(std::string_view name, std::string_view help, std::string_view unit) {
    suffix_ = {};
    begin(name, "histogram", help, unit);
}

void families::info(std::string_view name, std::string_view help, std::initializer_list<label> labels) {
    suffix_ = "_info";
    begin(name, how_ == exposition::openmetrics ? "info" : "gauge", help, {});
    line(suffix_, labels, "1");
}

void families::line(std::string_view suffix, std::initializer_list<label> labels, std::string_view value) {
    text_.append(name_).append(suffix);
    char before = '{';
    for (const label& each : labels) {
        text_ += std::exchange(before, ',');
        text_.append(each.name).append("=\"");
        append_escaped(text_, each.value, true);
        text_ += '"';
    }
    if (before == ',') text_ += '}';
    text_ += ' ';
    text_.append(value).append("\n");
}

void families::sample(std::initializer_list<label> labels, std::uint64_t value) {
    line(suffix_, labels, std::to_string(value));
}

void families::sample(std::initializer_list<label> labels, double value) {
    line(suffix_, labels, number_text(value));
}

void families::histogram(std::span<const std::uint64_t> counts, std::uint64_t sum_ns) {
    std::uint64_t all = 0;
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
        all += counts[bucket];
        const bool last = bucket == scoreboard::bucket_bounds.size();
        const std::string bound =
            last ? "+Inf" : number_text(static_cast<double>(scoreboard::bucket_bounds[bucket]) / 1e9);
        line("_bucket", {{"le", bound}}, std::to_string(all));
    }
    line("_sum", {}, number_text(static_cast<double>(sum_ns) / 1e9));
    line("_count", {}, std::to_string(all));
}

std::string families::take() {
    if (how_ == exposition::openmetrics) text_ += "# EOF\n";
    return std::move(text_);
}

}  // namespace unicoro::monitor

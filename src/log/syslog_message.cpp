// SPDX-License-Identifier: MIT
#include "log/syslog_message.hpp"

#include "log/text.hpp"
#include "log/time_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace unicoro::log {
namespace {

/// RFC 5424, 6.2.1.
int severity_of(level severity) noexcept {
    switch (severity) {
        case level::critical: return 2;
        case level::error: return 3;
        case level::warning: return 4;
        case level::info: return 6;
        case level::debug: break;
    }
    return 7;
}

std::string on_one_line(std::string_view text) {
    std::string line;
    for (const char each : text) {
        if (each == '\n') {
            line += "#012";
        } else {
            line += each;
        }
    }
    return line;
}

/// "Nov  3 04:05:06", from "2026-11-03T04:05:06".
std::string short_stamp(std::string_view iso) {
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto month = static_cast<std::size_t>((iso[5] - '0') * 10 + (iso[6] - '0') - 1);
    const char tens = iso[8] == '0' ? ' ' : iso[8];
    return fmt::format("{} {}{} {}", months.substr(month * 3, 3), tens, iso[9], iso.substr(11, 8));
}

void append_field(std::string& entry, std::string_view name, std::string_view value) {
    entry += name;
    if (value.find('\n') == std::string_view::npos) {
        entry += '=';
    } else {
        entry += '\n';
        const auto size = static_cast<std::uint64_t>(value.size());
        for (unsigned shift = 0; shift < 64; shift += 8) entry += static_cast<char>((size >> shift) & 0xff);
    }
    entry += value;
    entry += '\n';
}

}  // namespace

std::string syslog_word(std::string_view text) {
    constexpr std::size_t longest = 48;
    std::string word;
    for (const char each : text.substr(0, longest)) {
        const bool is_fine = each > ' ' && each < 0x7f && each != '[' && each != ']';
        word += each == ':' ? '.' : is_fine ? each : '_';
    }
    return word.empty() ? "-" : word;
}

std::string syslog_line(const syslog_origin& from, const syslog_entry& entry, bool one_line) {
    const int priority = static_cast<int>(from.facility) * 8 + severity_of(entry.severity);
    const time_text& now = local_time(entry.when);
    std::string text;
    append_text(text, entry.text, text_form::message);
    if (one_line) text = on_one_line(text);
    if (from.format == syslog_format::rfc3164) {
        const std::string_view gap = from.host.empty() ? "" : " ";
        const std::string stamp = short_stamp(now.iso_seconds());
        return fmt::format(
            "<{}>{} {}{}{}[{}]: {}", priority, stamp, from.host, gap, from.program, entry.pid, text
        );
    }
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(entry.when.time_since_epoch()).count() %
        1'000'000;
    return fmt::format(
        "<{}>1 {}.{:06}{} {} {} {} {} - {}",
        priority,
        now.iso_seconds(),
        micros,
        now.iso_zone(),
        from.host.empty() ? "-" : from.host,
        from.program,
        entry.pid,
        from.log,
        text
    );
}

std::string journal_entry(const syslog_origin& from, const syslog_entry& entry) {
    std::string made;
    append_field(made, "PRIORITY", std::to_string(severity_of(entry.severity)));
    append_field(made, "SYSLOG_FACILITY", std::to_string(static_cast<int>(from.facility)));
    append_field(made, "SYSLOG_IDENTIFIER", from.program);
    append_field(made, "SYSLOG_PID", std::to_string(entry.pid));
    append_field(made, "UNICORO_LOG", from.log);
    for (const auto& [name, value] : entry.fields) append_field(made, name, value);
    std::string text;
    append_text(text, entry.text, text_form::message);
    append_field(made, "MESSAGE", text);
    return made;
}

}  // namespace unicoro::log

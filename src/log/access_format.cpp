// SPDX-License-Identifier: MIT
#include "log/access_format.hpp"

#include "log/text.hpp"
#include "log/time_text.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace unicoro::log {
namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t at = 0; at < a.size(); ++at) {
        if (lower(a[at]) != lower(b[at])) return false;
    }
    return true;
}

/// The value of the last field of that name, as gunicorn prints it; null data when there is none.
std::string_view find_field(std::span<const field_view> fields, std::string_view name) noexcept {
    for (auto at = fields.rbegin(); at != fields.rend(); ++at) {
        if (same_name(at->first, name)) return at->second;
    }
    return {};
}

template <class Number>
void append_number(std::string& line, Number number) {
    const fmt::format_int text(number);
    line.append(text.data(), text.size());
}

void append_or_dash(std::string& line, std::string_view value) {
    if (value.empty()) {
        line += '-';
    } else {
        append_text(line, value, text_form::quoted);
    }
}

void append_field(std::string& line, std::span<const field_view> fields, std::string_view name) {
    append_or_dash(line, find_field(fields, name));
}

template <class Unit>
void append_count(std::string& line, std::chrono::nanoseconds duration) {
    append_number(line, std::chrono::duration_cast<Unit>(duration).count());
}

void append_request_line(std::string& line, const access_record& record) {
    if (record.method.empty() && record.target.empty()) {
        line += '-';
        return;
    }
    append_text(line, record.method, text_form::quoted);
    line += ' ';
    append_text(line, record.target, text_form::quoted);
    line += ' ';
    append_text(line, record.protocol, text_form::quoted);
}

void append_decimal_seconds(std::string& line, std::chrono::nanoseconds duration) {
    const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    append_number(line, micro / 1'000'000);
    line += '.';
    const fmt::format_int fraction(micro % 1'000'000);
    line.append(6 - std::min<std::size_t>(6, fraction.size()), '0');
    line.append(fraction.data(), fraction.size());
}

/// Ends the line there, or before a character or an escape that would be cut through.
void cut(std::string& line, std::size_t end, std::size_t start) {
    while (end > start && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line.resize(end);
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t backslashes = line.size() - (last == std::string::npos ? 0 : last + 1);
    if (backslashes % 2 == 1 && line.size() > start) line.pop_back();
}

void append_json_text(std::string& line, std::string_view key, std::string_view value) {
    line.append(key);
    append_json_string(line, value);
}

void append_json_text_or_null(std::string& line, std::string_view key, std::string_view value) {
    line.append(key);
    if (value.empty()) {
        line.append("null");
    } else {
        append_json_string(line, value);
    }
}

}  // namespace

void access_format::append(std::string& line, const access_record& record) const {
    if (json_) {
        append_json(line, record);
        return;
    }
    for (const piece& part : pieces_) {
        if (part.kind == atom::literal) {
            line.append(part.text);
            continue;
        }
        const std::size_t start = line.size();
        append_value(line, part, record);
        if (line.size() - start > part.most) cut(line, start + part.most, start);
        const std::size_t written = line.size() - start;
        if (written < part.width) {
            line.insert(part.left ? line.size() : start, part.width - written, part.filler);
        }
    }
}

void access_format::append_value(std::string& line, const piece& what, const access_record& record) {
    switch (what.kind) {
        case atom::remote_address: return append_or_dash(line, record.remote_address);
        case atom::user: return append_or_dash(line, record.user);
        case atom::time: line.append(local_time(record.finished).common_log()); return;
        case atom::request_line: return append_request_line(line, record);
        case atom::method: return append_or_dash(line, record.method);
        case atom::path: return append_or_dash(line, record.path);
        case atom::query: return append_text(line, record.query, text_form::quoted);
        case atom::protocol: return append_or_dash(line, record.protocol);
        case atom::status: return append_number(line, record.status);
        case atom::bytes: return append_number(line, record.body_bytes);
        case atom::referer: return append_field(line, record.request_fields, "referer");
        case atom::user_agent: return append_field(line, record.request_fields, "user-agent");
        case atom::seconds: return append_count<std::chrono::seconds>(line, record.duration);
        case atom::milliseconds: return append_count<std::chrono::milliseconds>(line, record.duration);
        case atom::microseconds: return append_count<std::chrono::microseconds>(line, record.duration);
        case atom::decimal_seconds: return append_decimal_seconds(line, record.duration);
        case atom::pid: fmt::format_to(std::back_inserter(line), "<{}>", ::getpid()); return;
        case atom::request_field: return append_field(line, record.request_fields, what.text);
        case atom::response_field: return append_field(line, record.response_fields, what.text);
        case atom::environ: return append_field(line, record.environ_fields, what.text);
        case atom::dash: line += '-'; return;
        case atom::literal: line.append(what.text); return;
    }
}

void access_format::append_json(std::string& line, const access_record& record) {
    using namespace std::chrono;
    const auto& time = local_time(record.finished);
    const auto second = floor<seconds>(record.finished);
    const auto milli = duration_cast<milliseconds>(record.finished - second).count();
    const auto micro = duration_cast<microseconds>(record.duration).count();

    fmt::format_to(
        std::back_inserter(line), R"({{"time":"{}.{:03}{}")", time.iso_seconds(), milli, time.iso_zone()
    );
    append_json_text_or_null(line, R"(,"remote_addr":)", record.remote_address);
    append_json_text_or_null(line, R"(,"user":)", record.user);
    append_json_text_or_null(line, R"(,"method":)", record.method);
    append_json_text_or_null(line, R"(,"target":)", record.target);
    append_json_text_or_null(line, R"(,"path":)", record.path);
    append_json_text(line, R"(,"query":)", record.query);
    append_json_text_or_null(line, R"(,"protocol":)", record.protocol);
    line.append(R"(,"status":)");
    append_number(line, record.status);
    line.append(R"(,"bytes":)");
    append_number(line, record.body_bytes);
    fmt::format_to(std::back_inserter(line), R"(,"duration_ms":{}.{:03})", micro / 1000, micro % 1000);
    append_json_text_or_null(line, R"(,"referer":)", find_field(record.request_fields, "referer"));
    append_json_text_or_null(line, R"(,"user_agent":)", find_field(record.request_fields, "user-agent"));
    line.append(R"(,"pid":)");
    append_number(line, ::getpid());
    line += '}';
}

}  // namespace unicoro::log

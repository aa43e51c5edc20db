// SPDX-License-Identifier: MIT
#include "log/access_atoms.hpp"

#include "log/text.hpp"
#include "log/time_text.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <string>

namespace unicoro::log {
namespace {

using record = access_record;
using fields = std::span<const field_view>;

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
std::string_view find_field(fields those, std::string_view name) noexcept {
    for (auto at = those.rbegin(); at != those.rend(); ++at) {
        if (same_name(at->first, name)) return at->second;
    }
    return {};
}

template <class Number>
void append_number(std::string& line, Number number) {
    const fmt::format_int text(number);
    line.append(text.data(), text.size());
}

/// Digits with zeros before them.
template <std::size_t Width>
void append_padded(std::string& line, std::int64_t number) {
    const fmt::format_int text(number);
    line.append(Width - std::min(Width, text.size()), '0');
    line.append(text.data(), text.size());
}

void append_or_dash(std::string& line, std::string_view value) {
    if (value.empty()) {
        line += '-';
    } else {
        append_text(line, value, text_form::quoted);
    }
}

void append_or_null(std::string& line, std::string_view value) {
    if (value.empty()) {
        line.append("null");
    } else {
        append_json_string(line, value);
    }
}

template <auto Member>
constexpr access_atom text(char letter, std::string_view key) {
    return {
        .letter = letter,
        .key = key,
        .print = [](std::string& line, const record& of, std::string_view
                 ) { append_or_dash(line, of.*Member); },
        .print_json = [](std::string& line, const record& of, std::string_view
                      ) { append_or_null(line, of.*Member); },
    };
}

template <auto Member>
constexpr access_atom number(char letter, std::string_view key) {
    constexpr auto print = [](std::string& line, const record& of, std::string_view) {
        append_number(line, of.*Member);
    };
    return {
        .letter = letter, .key = key, .print = print, .print_json = print, .kind = atom_kind::whole_number
    };
}

/// The duration in whole units.
template <class Unit>
constexpr access_atom count(char letter) {
    return {
        .letter = letter,
        .print = [](std::string& line, const record& of, std::string_view
                 ) { append_number(line, std::chrono::duration_cast<Unit>(of.duration).count()); },
        .kind = atom_kind::whole_number,
    };
}

constexpr std::string_view referer = "referer";
constexpr std::string_view user_agent = "user-agent";

/// A field that has an atom of its own.
template <const std::string_view& Name>
constexpr access_atom request_field(char letter, std::string_view key) {
    return {
        .letter = letter,
        .key = key,
        .print = [](std::string& line, const record& of, std::string_view
                 ) { append_or_dash(line, find_field(of.request_fields, Name)); },
        .print_json = [](std::string& line, const record& of, std::string_view
                      ) { append_or_null(line, find_field(of.request_fields, Name)); },
        .needs = atom_needs::request_fields,
    };
}

/// The trace-id within a traceparent field of the form that Trace Context demands; empty = there is none.
std::string_view trace_id(fields those) noexcept {
    constexpr std::size_t at = 3;
    constexpr std::size_t size = 32;
    constexpr std::size_t whole = 55;
    const std::string_view value = find_field(those, "traceparent");
    const std::string_view id = value.size() < whole ? std::string_view() : value.substr(at, size);
    return id.find_first_not_of("0123456789abcdef") == std::string_view::npos ? id : std::string_view();
}
void trace(std::string& line, const record& of, std::string_view) {
    append_or_dash(line, trace_id(of.request_fields));
}
void json_trace(std::string& line, const record& of, std::string_view) {
    append_or_null(line, trace_id(of.request_fields));
}

/// The field that the format names.
template <auto Fields>
constexpr access_atom named(char letter, atom_needs needs) {
    return {
        .letter = letter,
        .named = true,
        .print = [](std::string& line, const record& of, std::string_view name
                 ) { append_or_dash(line, find_field(of.*Fields, name)); },
        .needs = needs,
    };
}

void dash(std::string& line, const record&, std::string_view) {
    line += '-';
}

void query(std::string& line, const record& of, std::string_view) {
    append_text(line, of.query, text_form::quoted);
}
void json_query(std::string& line, const record& of, std::string_view) {
    append_json_string(line, of.query);
}

void time(std::string& line, const record& of, std::string_view) {
    line.append(local_time(of.finished).common_log());
}
void json_time(std::string& line, const record& of, std::string_view) {
    const auto& local = local_time(of.finished);
    const auto second = std::chrono::floor<std::chrono::seconds>(of.finished);
    line += '"';
    line.append(local.iso_seconds());
    line += '.';
    append_padded<3>(
        line, std::chrono::duration_cast<std::chrono::milliseconds>(of.finished - second).count()
    );
    line.append(local.iso_zone());
    line += '"';
}

void request_line(std::string& line, const record& of, std::string_view) {
    if (of.method.empty() && of.target.empty()) {
        line += '-';
        return;
    }
    append_text(line, of.method, text_form::quoted);
    line += ' ';
    append_text(line, of.target, text_form::quoted);
    line += ' ';
    append_text(line, of.protocol, text_form::quoted);
}

std::int64_t microseconds_of(std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}
void append_seconds(std::string& line, std::chrono::nanoseconds time) {
    append_number(line, microseconds_of(time) / 1'000'000);
    line += '.';
    append_padded<6>(line, microseconds_of(time) % 1'000'000);
}
void append_milliseconds(std::string& line, std::chrono::nanoseconds time) {
    append_number(line, microseconds_of(time) / 1000);
    line += '.';
    append_padded<3>(line, microseconds_of(time) % 1000);
}
void decimal_seconds(std::string& line, const record& of, std::string_view) {
    append_seconds(line, of.duration);
}
void json_milliseconds(std::string& line, const record& of, std::string_view) {
    append_milliseconds(line, of.duration);
}

/// A time that is not known of every request.
template <auto Member>
constexpr access_atom time_where_known(char letter, std::string_view key, atom_needs needs) {
    return {
        .letter = letter,
        .key = key,
        .print =
            [](std::string& line, const record& of, std::string_view) {
                if (!(of.*Member)) return dash(line, of, {});
                append_seconds(line, *(of.*Member));
            },
        .print_json =
            [](std::string& line, const record& of, std::string_view) {
                if (!(of.*Member)) return append_or_null(line, {});
                append_milliseconds(line, *(of.*Member));
            },
        .needs = needs,
    };
}

void pid(std::string& line, const record&, std::string_view) {
    line += '<';
    append_number(line, ::getpid());
    line += '>';
}
void json_pid(std::string& line, const record&, std::string_view) {
    append_number(line, ::getpid());
}

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto table = std::to_array<access_atom>({
    {.key = "time", .print_json = json_time},
    text<&record::remote_address>('h', "remote_addr"),
    {.letter = 'l', .print = dash},
    text<&record::user>('u', "user"),
    {.letter = 't', .print = time},
    {.letter = 'r', .print = request_line},
    text<&record::method>('m', "method"),
    text<&record::target>('\0', "target"),
    text<&record::path>('U', "path"),
    {.letter = 'q', .key = "query", .print = query, .print_json = json_query},
    text<&record::protocol>('H', "protocol"),
    number<&record::status>('s', "status"),
    number<&record::body_bytes>('b', "bytes"),
    number<&record::body_bytes>('B', {}),
    {.key = "duration_ms", .print_json = json_milliseconds},
    time_where_known<&record::waited>('W', "waited_ms", atom_needs::wait),
    time_where_known<&record::first_byte>('F', "first_byte_ms", atom_needs::first_byte),
    time_where_known<&record::cpu_time>('C', "cpu_ms", atom_needs::cpu_time),
    request_field<referer>('f', "referer"),
    request_field<user_agent>('a', "user_agent"),
    {.letter = 'x',
     .key = "trace_id",
     .print = trace,
     .print_json = json_trace,
     .needs = atom_needs::request_fields},
    count<seconds>('T'),
    count<microseconds>('D'),
    count<milliseconds>('M'),
    {.letter = 'L', .print = decimal_seconds},
    {.letter = 'p', .key = "pid", .print = pid, .print_json = json_pid},
    named<&record::request_fields>('i', atom_needs::request_fields),
    named<&record::response_fields>('o', atom_needs::response_fields),
    named<&record::environ_fields>('e', atom_needs::environ),
});

}  // namespace

std::span<const access_atom> access_atoms() noexcept {
    return table;
}

}  // namespace unicoro::log

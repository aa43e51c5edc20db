// SPDX-License-Identifier: MIT
#include "http/response_head.hpp"

#include "base/text.hpp"
#include "http/chars.hpp"
#include "http/status.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace unicoro::http {
namespace {

enum class field_owner { application, connection, connection_option, length };

// Who decides about a field. Lengths first: most names differ there already.
field_owner owner_of(std::string_view name) noexcept {
    switch (name.size()) {
        case 4:
            if (iequals(name, "date")) return field_owner::connection;
            break;
        case 6:
            if (iequals(name, "server")) return field_owner::connection;
            break;
        case 7:
            if (iequals(name, "trailer")) return field_owner::connection;
            break;
        case 10:
            if (iequals(name, "connection")) return field_owner::connection_option;
            if (iequals(name, "keep-alive")) return field_owner::connection;
            break;
        case 14:
            if (iequals(name, "content-length")) return field_owner::length;
            break;
        case 17:
            if (iequals(name, "transfer-encoding")) return field_owner::connection;
            break;
        default: break;
    }
    return iequals(name.substr(0, 6), "proxy-") ? field_owner::connection : field_owner::application;
}

bool asks_to_close(std::string_view options) noexcept {
    while (!options.empty()) {
        if (iequals(next_element(options), "close")) return true;
    }
    return false;
}

void append_number(std::string& out, std::uint64_t value, int base = 10) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
    out.append(digits.data(), end);
}

}  // namespace

void response_head::reset() noexcept {
    status_ = 200;
    close_ = false;
    length_.reset();
    length_text_.clear();
    reason_.clear();
    block_.clear();
}

error_code response_head::set_status(int code, std::string_view reason) {
    if (code < 200 || code > 599 || !all(byte_class::content, reason)) return errc::invalid_status;
    status_ = code;
    reason_.clear();
    if (reason != reason_phrase(code)) reason_.assign(reason);
    return {};
}

error_code response_head::set_length(std::string_view digits) {
    const std::optional<std::uint64_t> length = base::parse_integer<std::uint64_t>(digits);
    if (length_ || !length) return errc::invalid_header;
    length_ = length;
    length_text_.clear();
    append_number(length_text_, *length);
    return {};
}

error_code response_head::add(std::string_view name, std::string_view value) {
    value = trim(value);
    if (name.empty() || !all(byte_class::token, name) || !all(byte_class::content, value)) {
        return errc::invalid_header;
    }
    switch (owner_of(name)) {
        case field_owner::connection: return {};
        case field_owner::length: return set_length(value);
        case field_owner::connection_option: close_ = close_ || asks_to_close(value); return {};
        case field_owner::application: break;
    }
    block_.append(name).append(": ").append(value).append("\r\n");
    return {};
}

void response_head::list_fields(std::vector<field>& out) const {
    std::string_view rest = block_;
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::size_t end = rest.find('\r', colon);
        out.push_back({rest.substr(0, colon), rest.substr(colon + 2, end - colon - 2)});
        rest.remove_prefix(end + 2);
    }
    if (length_) out.push_back({"Content-Length", length_text_});
}

response_plan response_head::plan(const response_context& context) const noexcept {
    response_plan p;
    p.keep_alive = context.keep_alive && !close_;
    if (context.head_request || !body_allowed(status_)) {
        p.framing = response_framing::no_body;
        // A length here is that of the answer to GET (RFC 9110, 8.6). Nothing is known of that from
        // an empty body: most applications send none to HEAD, and 304 never has one.
        if (status_ >= 200 && status_ != 204) {
            p.length = length_;
            if (!length_ && status_ != 304 && context.body_length.value_or(0) != 0) {
                p.length = context.body_length;
            }
        }
        return p;
    }
    p.length = length_ ? length_ : context.body_length;
    if (p.length) {
        p.framing = response_framing::length;
    } else if (context.request_version == version::http_1_1) {
        p.framing = response_framing::chunked;
    } else {
        p.framing = response_framing::until_close;
        p.keep_alive = false;
    }
    return p;
}

void response_head::append_status_line(std::string& out) const {
    const std::string_view known = status_line(status_);
    if (reason_.empty() && !known.empty()) {
        out.append(known);
        return;
    }
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(status_));
    out.append(" ").append(reason_.empty() ? reason_phrase(status_) : reason_).append("\r\n");
}

response_plan response_head::serialize(const response_context& context, std::string& out) const {
    // Whatever the fixed parts need: status line, names, a length, Connection.
    constexpr std::size_t fixed_room = 192;
    const response_plan p = plan(context);
    out.reserve(
        out.size() + fixed_room + reason_.size() + block_.size() + context.date.size() + context.server.size()
    );
    append_status_line(out);
    if (!context.server.empty()) out.append("Server: ").append(context.server).append("\r\n");
    if (!context.date.empty()) out.append("Date: ").append(context.date).append("\r\n");
    out.append(block_);
    if (p.length) {
        out.append("Content-Length: ");
        append_number(out, *p.length);
        out.append("\r\n");
    } else if (p.framing == response_framing::chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    if (!p.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (context.request_version == version::http_1_0) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
    return p;
}

std::string imf_fixdate(std::int64_t unix_seconds) {
    static constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    using namespace std::chrono;
    const sys_seconds at{seconds{unix_seconds}};
    const sys_days day = floor<std::chrono::days>(at);
    const year_month_day date{day};
    const hh_mm_ss<seconds> time{at - day};
    std::array<char, 48> text;
    const int length = std::snprintf(
        text.data(),
        text.size(),
        "%s, %02u %s %04d %02d:%02d:%02d GMT",
        days[weekday{day}.c_encoding()],
        static_cast<unsigned>(date.day()),
        months[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()),
        static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count())
    );
    return {text.data(), static_cast<std::size_t>(length)};
}

void append_chunk_header(std::string& out, std::uint64_t size) {
    append_number(out, size, 16);
    out.append("\r\n");
}

}  // namespace unicoro::http

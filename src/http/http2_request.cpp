// SPDX-License-Identifier: MIT
#include "http/http2_request.hpp"

#include "http/chars.hpp"
#include "http/method.hpp"
#include "http/request_target.hpp"

#include <algorithm>

namespace unicoro::http {
namespace {

constexpr std::size_t counted_for_a_field = 32;
// ": " and CRLF, which the limit of HTTP/1.x counts.
constexpr std::size_t around_a_field = 4;
// The blanks of a request line, and its version.
constexpr std::size_t around_a_target = std::string_view("  HTTP/1.1").size();

field_kind kind_of(std::string_view name) noexcept {
    if (name == "host") return field_kind::host;
    if (name == "content-length") return field_kind::content_length;
    if (name == "content-type") return field_kind::content_type;
    if (name == "expect") return field_kind::expect;
    return field_kind::other;
}

}  // namespace

void http2_request::add(std::string_view name, std::string_view value) {
    list_size_ += name.size() + value.size() + counted_for_a_field;
    if (list_size_ > list_limit_ || places_.size() > rules_.fields_limit()) return;
    if (name == ":method") {
        method_ = value;
    } else if (name == ":path") {
        target_ = value;
    } else if (name == ":scheme") {
        scheme_ = value;
    } else if (name == ":authority") {
        authority_ = value;
    } else if (name == ":protocol") {
        protocol_ = value;
    } else if (!name.starts_with(':')) {
        const std::size_t begin = text_.size();
        text_.append(name).append(value);
        std::vector<place>& whose = name == "cookie" ? crumbs_ : places_;
        whose.push_back({begin, begin + name.size(), text_.size()});
    }
}

field http2_request::at(const place& where) const noexcept {
    const std::string_view text = text_;
    return {
        text.substr(where.name, where.value - where.name), text.substr(where.value, where.end - where.value)
    };
}

bool http2_request::check_limits() {
    if (list_size_ > list_limit_) {
        return refuse_over(
            why_, 431, "The request head is too large", "http2_max_header_list_size", list_limit_
        );
    }
    if (places_.size() + (crumbs_.empty() ? 0 : 1) > rules_.fields_limit()) {
        return refuse_over(
            why_, 431, "Too many header fields", "limit_request_fields", rules_.fields_limit()
        );
    }
    if (method_.size() + target_.size() + around_a_target > rules_.request_line_limit()) {
        return refuse_over(
            why_, 414, "The request line is too long", "limit_request_line", rules_.request_line_limit()
        );
    }
    return true;
}

bool http2_request::check_protocol() {
    if (!protocol_) return true;
    if (!iequals(*protocol_, "websocket")) {
        return refuse(why_, 501, "Unknown :protocol: only websocket is known (RFC 8441, 4)", *protocol_);
    }
    if (method_ != "CONNECT") {
        return refuse(why_, 400, "Invalid :protocol: the method is not CONNECT (RFC 8441, 4)", method_);
    }
    method_ = "GET";
    return true;
}

bool http2_request::check_start(target_parts& target) {
    if (rules_.casefold_http_method) std::ranges::transform(method_, method_.begin(), to_upper);
    if (!check_protocol()) return false;
    head_.method = method_;
    // CONNECT has no path, and its authority stands where HTTP/1.x has it (RFC 9113, 8.5).
    if (method_ == "CONNECT") target_ = authority_;
    head_.target = target_;
    if (!all(byte_class::token, method_) || target_.empty()) {
        return refuse(why_, 400, "Invalid :method or :path (RFC 9113, 8.3.1)", method_);
    }
    if (!accept_method(method_, rules_, why_) || !split_target(method_, target_, target, why_)) return false;
    if (!target.authority.empty()) {
        return refuse(why_, 400, "Invalid :path: it is no path (RFC 9113, 8.3.1)", target_);
    }
    head_.path = target.path;
    head_.query = target.query;
    if (!iequals(scheme_, "http") && !iequals(scheme_, "https")) {
        return refuse(why_, 400, "Invalid :scheme: neither http nor https (RFC 9113, 8.3.1)", scheme_);
    }
    return true;
}

bool http2_request::add_field(field_rules& rules_of_fields, field_kind kind, field each) {
    if (each.name.size() + each.value.size() + around_a_field > rules_.field_size_limit()) {
        return refuse_over(
            why_, 431, "A header field is too large", "limit_request_field_size", rules_.field_size_limit()
        );
    }
    switch (rules_of_fields.add(kind, each.name, each.value, why_)) {
        case field_rules::verdict::keep: fields_.push_back(each); return true;
        case field_rules::verdict::drop: return true;
        case field_rules::verdict::refused: break;
    }
    return false;
}

// Applications know the authority by the Host field, and a cookie as one (RFC 9113, 8.2.3 and 8.3.1).
bool http2_request::read_fields(field_rules& rules_of_fields) {
    fields_.reserve(places_.size() + 2);
    if (!authority_.empty() && !add_field(rules_of_fields, field_kind::host, authority_field())) return false;
    for (const place& where : places_) {
        const field each = at(where);
        const field_kind kind = kind_of(each.name);
        if (kind == field_kind::host && !authority_.empty()) {
            if (iequals(each.value, authority_)) continue;
            return refuse(why_, 400, "Host is not the same as :authority (RFC 9113, 8.3.1)", each.value);
        }
        if (!add_field(rules_of_fields, kind, each)) return false;
    }
    for (const place& where : crumbs_) {
        if (!cookie_.empty()) cookie_.append("; ");
        cookie_.append(at(where).value);
    }
    return crumbs_.empty() || add_field(rules_of_fields, field_kind::other, {"cookie", cookie_});
}

bool http2_request::finish(field_rules& rules_of_fields, peer sender, body comes) {
    head_.version = version::http_2;
    target_parts target;
    if (!check_limits() || !check_start(target)) return false;
    rules_of_fields.begin(version::http_2, sender);
    if (!read_fields(rules_of_fields)) return false;
    head_.fields = fields_;
    // What follows a handshake is no body.
    const bool has_body = comes == body::follows && !protocol_;
    head_.framing = has_body ? body_framing::chunked : body_framing::none;
    if (!rules_of_fields.finish(target, head_, why_)) return false;
    head_.wants_websocket = protocol_.has_value();
    traces_.settle(rules_.trace_context, fields_);
    head_.fields = fields_;
    if (head_.client) {
        client_address_ = head_.client->address;
        head_.client->address = client_address_;
    }
    return true;
}

}  // namespace unicoro::http

// SPDX-License-Identifier: MIT
#include "http/request_target.hpp"

#include "http/chars.hpp"
#include "http/request_head.hpp"

#include <cstddef>

namespace unicoro::http {
namespace {

bool valid_port(std::string_view digits) noexcept {
    if (!all(byte_class::digit, digits)) return false;
    unsigned value = 0;
    for (const char digit : digits) {
        value = value * 10 + static_cast<unsigned>(digit - '0');
        if (value > 65535) return false;
    }
    return true;
}

bool valid_ip_literal(std::string_view inside) noexcept {
    if (inside.find(':') == std::string_view::npos) return false;
    for (const char byte : inside) {
        if (!is(byte_class::hex, byte) && byte != ':' && byte != '.') return false;
    }
    return true;
}

bool valid_name(std::string_view name) noexcept {
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (!is(byte_class::host, name[i])) return false;
        if (name[i] != '%') continue;
        if (i + 2 >= name.size() || !all(byte_class::hex, name.substr(i + 1, 2))) return false;
        i += 2;
    }
    return true;
}

void split_path(std::string_view text, target_parts& parts) noexcept {
    const std::size_t mark = text.find('?');
    parts.path = text.substr(0, mark);
    parts.query = mark == std::string_view::npos ? std::string_view{} : text.substr(mark + 1);
}

bool split_absolute(std::string_view target, target_parts& parts, refusal& why) {
    const std::size_t colon = target.find("://");
    const std::string_view scheme = target.substr(0, colon);
    if (colon == std::string_view::npos || (!iequals(scheme, "http") && !iequals(scheme, "https"))) {
        return refuse(
            why, 400, "Invalid request target: neither a path nor an http(s) URI (RFC 9112, 3.2)", target
        );
    }
    const std::string_view rest = target.substr(colon + 3);
    const std::size_t end = rest.find_first_of("/?");
    parts.authority = rest.substr(0, end);
    // An http URI has a host (RFC 9110, 4.2.1) and no user information (4.2.4).
    if (parts.authority.empty() || parts.authority.front() == ':' || !valid_host(parts.authority)) {
        return refuse(why, 400, "Invalid authority in the request target (RFC 9110, 4.2)", target);
    }
    split_path(end == std::string_view::npos ? std::string_view{} : rest.substr(end), parts);
    if (parts.path.empty()) parts.path = "/";
    return true;
}

// A 200 of an application would turn the connection into a tunnel (RFC 9110, 9.3.6).
bool refuse_connect(std::string_view target, refusal& why) {
    const std::size_t colon = target.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == target.size() || !valid_host(target)) {
        return refuse(why, 400, "Invalid request target: CONNECT needs host:port (RFC 9112, 3.2.3)", target);
    }
    return refuse(why, 501, "CONNECT is for proxies, which this server is not (RFC 9110, 9.3.6)", target);
}

}  // namespace

bool valid_host(std::string_view text) noexcept {
    if (!text.empty() && text.front() == '[') {
        const std::size_t bracket = text.find(']');
        if (bracket == std::string_view::npos || !valid_ip_literal(text.substr(1, bracket - 1))) return false;
        const std::string_view rest = text.substr(bracket + 1);
        return rest.empty() || (rest.front() == ':' && valid_port(rest.substr(1)));
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return valid_name(text);
    return valid_name(text.substr(0, colon)) && valid_port(text.substr(colon + 1));
}

bool split_target(std::string_view method, std::string_view target, target_parts& parts, refusal& why) {
    parts = {};
    if (!all(byte_class::target, target)) {
        return refuse(why, 400, "Invalid byte in the request target (RFC 9112, 3.2)", target);
    }
    if (method == "CONNECT") return refuse_connect(target, why);
    if (target.front() == '/') {
        split_path(target, parts);
        return true;
    }
    if (target == "*") {
        if (method != "OPTIONS") {
            return refuse(why, 400, "Invalid request target: \"*\" goes with OPTIONS only (RFC 9112, 3.2.4)");
        }
        parts.path = target;
        return true;
    }
    return split_absolute(target, parts, why);
}

}  // namespace unicoro::http

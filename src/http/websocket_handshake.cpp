// SPDX-License-Identifier: MIT
#include "http/websocket_handshake.hpp"

#include "http/chars.hpp"

#include <boost/beast/websocket/detail/hybi13.hpp>

#include <algorithm>
#include <cstddef>

namespace unicoro::http {
namespace {

// The value of a field that must come exactly once.
bool find_once(const request_head& head, std::string_view name, std::string_view& value, refusal& why) {
    std::size_t count = 0;
    for (const field& f : head.fields) {
        if (!iequals(f.name, name)) continue;
        value = f.value;
        ++count;
    }
    if (count == 1) return true;
    return refuse(
        why,
        400,
        count == 0 ? "Invalid WebSocket handshake: a field is missing (RFC 6455, 4.2.1)"
                   : "Invalid WebSocket handshake: a field is given twice (RFC 6455, 4.2.1)",
        name
    );
}

// 16 bytes in base64: 22 digits and two '='. The last digit carries two bits only, but what the rest
// of it says does not matter: the value is never decoded.
bool is_key(std::string_view value) noexcept {
    constexpr std::size_t digits = 22;
    const auto digit = [](char byte) {
        return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               byte == '+' || byte == '/';
    };
    return value.size() == digits + 2 && value.substr(digits) == "==" &&
           std::all_of(value.begin(), value.begin() + digits, digit);
}

bool valid_subprotocols(const request_head& head, refusal& why) {
    std::vector<std::string_view> offered = offered_subprotocols(head);
    for (const std::string_view name : offered) {
        if (!all(byte_class::token, name)) {
            return refuse(why, 400, "Invalid Sec-WebSocket-Protocol: not a token (RFC 6455, 4.1)", name);
        }
    }
    std::sort(offered.begin(), offered.end());
    const auto twice = std::adjacent_find(offered.begin(), offered.end());
    if (twice == offered.end()) return true;
    return refuse(why, 400, "Invalid Sec-WebSocket-Protocol: one is offered twice (RFC 6455, 4.1)", *twice);
}

}  // namespace

bool valid_websocket_handshake(const request_head& head, refusal& why) {
    if (!head.wants_websocket) {
        return refuse(why, 426, "A WebSocket is expected here (RFC 9110, 15.5.22)");
    }
    if (head.method != "GET") {
        return refuse(
            why, 400, "Invalid WebSocket handshake: the method is not GET (RFC 6455, 4.2.1)", head.method
        );
    }
    if (head.framing == body_framing::chunked || head.content_length != 0) {
        return refuse(why, 400, "Invalid WebSocket handshake: it has a body");
    }
    std::string_view version;
    std::string_view key;
    if (!find_once(head, "Sec-WebSocket-Version", version, why)) return false;
    if (version != "13") {
        return refuse(why, 426, "Only version 13 of WebSocket is supported (RFC 6455, 4.4)", version);
    }
    // What came by an extended CONNECT was meant for a server that knows what it is (RFC 8441, 5).
    const bool keyless = head.version == http::version::http_2;
    if (!keyless && !find_once(head, "Sec-WebSocket-Key", key, why)) return false;
    if (!keyless && !is_key(key)) {
        return refuse(why, 400, "Invalid Sec-WebSocket-Key: not 16 bytes in base64 (RFC 6455, 4.2.1)", key);
    }
    return valid_subprotocols(head, why);
}

std::vector<std::string_view> offered_subprotocols(const request_head& head) {
    std::vector<std::string_view> offered;
    for (const field& f : head.fields) {
        if (!iequals(f.name, "Sec-WebSocket-Protocol")) continue;
        std::string_view list = f.value;
        while (!list.empty()) {
            const std::string_view name = next_element(list);
            if (!name.empty()) offered.push_back(name);
        }
    }
    return offered;
}

bool offers_subprotocol(const request_head& head, std::string_view name) {
    const std::vector<std::string_view> names = offered_subprotocols(head);
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_of_handshake(std::string_view field_name) noexcept {
    constexpr std::string_view prefix = "Sec-WebSocket-";
    return iequals(field_name.substr(0, prefix.size()), prefix) || iequals(field_name, "Upgrade") ||
           iequals(field_name, "Content-Length");
}

std::string websocket_accept(std::string_view key) {
    boost::beast::websocket::detail::sec_ws_accept_type made;
    boost::beast::websocket::detail::make_sec_ws_accept(made, {key.data(), key.size()});
    return {made.data(), made.size()};
}

std::string offered_extensions(const request_head& head) {
    std::string joined;
    for (const field& f : head.fields) {
        if (!iequals(f.name, "Sec-WebSocket-Extensions") || f.value.empty()) continue;
        if (!joined.empty()) joined.append(", ");
        joined.append(f.value);
    }
    return joined;
}

}  // namespace unicoro::http

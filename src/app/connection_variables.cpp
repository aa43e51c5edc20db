// SPDX-License-Identifier: MIT
#include "app/connection_variables.hpp"

namespace unicoro::app {
namespace {

std::string_view name_of(http::proxied_connection::family kind) noexcept {
    using family = http::proxied_connection::family;
    switch (kind) {
        case family::tcp4: return "TCP4";
        case family::tcp6: return "TCP6";
        case family::unix_socket: return "UNIX";
        case family::none: break;
    }
    return "UNKNOWN";
}

}  // namespace

std::vector<std::pair<std::string_view, std::string>> variables_of(const connection_info& connection) {
    std::vector<std::pair<std::string_view, std::string>> made;
    if (!connection.stream || !connection.stream->proxied) return made;
    const http::proxied_connection& said = *connection.stream->proxied;
    made.emplace_back("PROXY_PROTOCOL", name_of(said.kind));
    made.emplace_back("PROXY_ADDR", said.destination);
    made.emplace_back("PROXY_PORT", std::to_string(said.destination_port));
    const auto add = [&made](std::string_view name, const std::string& value) {
        if (!value.empty()) made.emplace_back(name, value);
    };
    add("PROXY_PROTOCOL_TLV_AUTHORITY", said.authority);
    add("PROXY_PROTOCOL_TLV_ALPN", said.alpn);
    add("PROXY_PROTOCOL_TLV_SSL_VERSION", said.tls_version);
    add("PROXY_PROTOCOL_TLV_SSL_CN", said.common_name);
    add("PROXY_PROTOCOL_TLV_SSL_VERIFY", said.verified ? "0" : "");
    return made;
}

}  // namespace unicoro::app

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

void add(connection_variables& to, std::string_view name, const std::string& value) {
    if (!value.empty()) to.emplace_back(name, value);
}

void add_proxied(connection_variables& to, const http::proxied_connection& said) {
    to.emplace_back("PROXY_PROTOCOL", name_of(said.kind));
    to.emplace_back("PROXY_ADDR", said.destination);
    to.emplace_back("PROXY_PORT", std::to_string(said.destination_port));
    add(to, "PROXY_PROTOCOL_TLV_AUTHORITY", said.authority);
    add(to, "PROXY_PROTOCOL_TLV_ALPN", said.alpn);
    add(to, "PROXY_PROTOCOL_TLV_SSL_VERSION", said.tls_version);
    add(to, "PROXY_PROTOCOL_TLV_SSL_CN", said.common_name);
    add(to, "PROXY_PROTOCOL_TLV_SSL_VERIFY", said.verified ? "0" : "");
}

// By the names of Apache's mod_ssl.
void add_encryption(connection_variables& to, const tls::agreement& agreed) {
    to.emplace_back("HTTPS", "on");
    add(to, "SSL_PROTOCOL", agreed.version);
    add(to, "SSL_CIPHER", agreed.cipher);
    add(to, "SSL_TLS_SNI", agreed.server_name);
    to.emplace_back("SSL_CLIENT_VERIFY", agreed.client ? "SUCCESS" : "NONE");
    if (!agreed.client) return;
    const tls::client_identity& client = *agreed.client;
    to.emplace_back("SSL_CLIENT_S_DN", client.subject);
    to.emplace_back("SSL_CLIENT_I_DN", client.issuer);
    to.emplace_back("SSL_CLIENT_M_SERIAL", client.serial);
    to.emplace_back("SSL_CLIENT_V_START", client.valid_from);
    to.emplace_back("SSL_CLIENT_V_END", client.valid_until);
    to.emplace_back("SSL_CLIENT_CERT", client.certificate);
}

}  // namespace

connection_variables proxy_variables(const connection_info& connection) {
    connection_variables made;
    if (connection.stream && connection.stream->proxied) add_proxied(made, *connection.stream->proxied);
    return made;
}

connection_variables variables_of(const connection_info& connection) {
    connection_variables made = proxy_variables(connection);
    if (connection.stream && connection.stream->tls) add_encryption(made, *connection.stream->tls);
    return made;
}

}  // namespace unicoro::app

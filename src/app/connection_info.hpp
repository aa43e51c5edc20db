// SPDX-License-Identifier: MIT
#pragma once

#include "http/proxy_header.hpp"
#include "http/request_head.hpp"
#include "tls/agreement.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::app {

struct endpoint {
    std::string address;
    std::uint16_t port = 0;
};

/// What a byte stream knows beside the two ends of its socket.
struct stream_facts {
    /// The socket's own peer, where that is a proxy which announced the client. It is who may be trusted.
    std::optional<endpoint> socket_peer;
    std::optional<http::proxied_connection> proxied;  ///< what that proxy said
    std::optional<tls::agreement> tls;                ///< of an encrypted one
};

/// The two ends of the connection a request came by. Lives as long as the connection, which may be idle in
/// great numbers: what most of them do not need is behind a pointer.
struct connection_info {
    std::string remote_address;      ///< of the client; empty on a unix socket
    std::string_view local_address;  ///< of the listener, which lives longer; the path on a unix socket
    std::unique_ptr<const stream_facts> stream;  ///< null where there is nothing to know
    std::uint16_t remote_port = 0;
    std::uint16_t local_port = 0;
    bool unix_socket = false;
    bool warm_up = false;  ///< of the worker's own, before it serves: not logged as access, not counted

    /// By TLS of this server, or of the proxy that announced the client.
    [[nodiscard]] bool secure() const noexcept {
        return stream && (stream->tls || (stream->proxied && stream->proxied->tls));
    }
    /// The client is known by its address and its port.
    [[nodiscard]] bool client_has_port() const noexcept {
        return !unix_socket || (stream && stream->proxied && remote_port != 0);
    }
    [[nodiscard]] const std::string& peer_address() const noexcept {
        return stream && stream->socket_peer ? stream->socket_peer->address : remote_address;
    }
};

/// Where a request came from, as logs and applications see it.
struct client_end {
    std::string_view address;  ///< empty: not known, or on a unix socket
    std::uint16_t port;
    bool has_port;  ///< otherwise the client is not known by an address and a port
};

/// What trusted proxies say of it, else the connection's own. Views of both.
[[nodiscard]] inline client_end client_of(
    const connection_info& connection, const http::request_head& head
) noexcept {
    if (!head.client) {
        return {connection.remote_address, connection.remote_port, connection.client_has_port()};
    }
    return {head.client->address, head.client->port, head.client->port != 0};
}

}  // namespace unicoro::app

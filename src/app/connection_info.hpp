// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace unicoro::app {

/// Something a host keeps with a connection, e.g. Python objects of its addresses. Destroyed with it.
class connection_attachment {
  public:
    virtual ~connection_attachment() = default;
};

struct endpoint {
    std::string address;
    std::uint16_t port = 0;
};

/// What the handshake of an encrypted connection settled.
struct tls_facts {
    std::string alpn;              ///< empty where none was agreed on (RFC 7301)
    std::string peer_certificate;  ///< PEM; empty where the client showed none
};

/// The two ends of the connection a request came by. Lives as long as the connection.
struct connection_info {
    std::string remote_address;  ///< of the client; empty on a unix socket
    std::uint16_t remote_port = 0;
    std::string local_address;  ///< of the listener; the path on a unix socket
    std::uint16_t local_port = 0;
    bool unix_socket = false;
    /// The socket's own peer, where that is a proxy which announced the client. It is who may be trusted.
    std::unique_ptr<const endpoint> socket_peer;
    std::unique_ptr<const tls_facts> tls;  ///< null in clear text
    std::unique_ptr<connection_attachment> attachment;

    [[nodiscard]] const std::string& peer_address() const noexcept {
        return socket_peer ? socket_peer->address : remote_address;
    }
};

}  // namespace unicoro::app

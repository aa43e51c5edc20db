// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::http {

/// Which versions of the PROXY protocol are read (HAProxy's proxy-protocol.txt).
enum class proxy_protocol : std::uint8_t { off, v1, v2, any };

/// What a load balancer says of the connection that it passes on.
struct proxied_connection {
    enum class family : std::uint8_t { none, tcp4, tcp6, unix_socket };

    /// `none`: the balancer speaks for itself (LOCAL, a health check) or does not know (UNKNOWN): the
    /// socket's own ends count.
    family kind = family::none;
    std::string source;       ///< the client's address
    std::string destination;  ///< the address it connected to
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;

    // Of version 2, each empty where it is not said.
    std::string authority;    ///< the host name that the client asked for (SNI)
    std::string alpn;         ///< the protocol agreed on (RFC 7301)
    std::string tls_version;  ///< such as "TLSv1.3"
    std::string common_name;  ///< of the client's certificate
    bool tls = false;         ///< the client came by TLS
    bool verified = false;    ///< it showed a certificate, which the balancer found good
};

/// The longest header that is read: 108 bytes in version 1, this in version 2, whose own limit is 64 KiB.
inline constexpr std::size_t longest_proxy_header = 16 + 4096;

struct proxy_step {
    /// `absent`: what comes is no header of a version that is read, but already the client's bytes.
    enum class status : std::uint8_t { need_more, absent, complete, refused };

    status what;
    std::size_t consumed = 0;   ///< with `complete`
    std::string_view why = {};  ///< with `refused`; a constant
};

/// Looks for a header at the beginning of a connection, in all that has come so far.
[[nodiscard]] proxy_step read_proxy_header(
    std::string_view input, proxy_protocol which, proxied_connection& into
);

}  // namespace unicoro::http

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::log {

/// Where a daemon listens for messages.
struct message_address {
    enum class way {
        udp,
        tcp,
        unix_datagram,
        unix_stream,
        unix_any,  ///< a datagram socket, else a stream
    };
    way by = way::udp;
    std::string host;  ///< of udp and tcp: a name, or an address without brackets
    std::uint16_t port = 0;
    std::string path;  ///< of a unix socket: absolute
};

/// Reads "HOST", "HOST:PORT" or "[IPV6]:PORT" into host and port, which stays as it is where none is said.
/// False for any other text.
[[nodiscard]] bool read_host(std::string_view text, message_address& into);

/// Reads "/PATH". False for any other text, and for a path that is too long for a socket.
[[nodiscard]] bool read_path(std::string_view text, message_address& into);

/// UDP to any of its addresses, or a socket of this machine.
[[nodiscard]] inline bool is_remote(const message_address& where) noexcept {
    return where.path.empty();
}

}  // namespace unicoro::log

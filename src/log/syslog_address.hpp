// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::log {

/// Where syslog listens (setting `syslog_addr`).
struct syslog_address {
    enum class way {
        udp,            ///< RFC 5426
        tcp,            ///< RFC 6587
        unix_datagram,  ///< what syslog(3) does
        unix_stream,
        unix_any,  ///< a datagram socket, else a stream
        journal,   ///< the native protocol of systemd's journal
    };
    way by = way::udp;
    std::string host;  ///< of udp and tcp
    std::uint16_t port = 514;
    std::string path;  ///< of a unix socket
};

/// Reads udp://HOST[:PORT], tcp://HOST[:PORT], unix://PATH[#dgram|#stream] as gunicorn does, and journald,
/// which may name another socket (journald://PATH). Nothing for any other text.
[[nodiscard]] std::optional<syslog_address> parse_syslog_address(std::string_view written);

/// What that must be, for messages.
inline constexpr std::string_view syslog_address_forms =
    "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH (with #dgram or #stream at its end to say which), or journald";

}  // namespace unicoro::log

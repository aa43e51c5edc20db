// SPDX-License-Identifier: MIT
#pragma once

#include "log/message_address.hpp"

#include <optional>
#include <string_view>

namespace unicoro::log {

/// Where syslog listens (setting `syslog_addr`).
struct syslog_address : message_address {
    bool is_journal = false;  ///< it speaks the native protocol of systemd's journal
};

/// Reads udp://HOST[:PORT], tcp://HOST[:PORT], unix://PATH[#dgram|#stream] as gunicorn does, and journald,
/// which may name another socket (journald://PATH). Nothing for any other text.
[[nodiscard]] std::optional<syslog_address> parse_syslog_address(std::string_view written);

/// What that must be, for messages.
inline constexpr std::string_view syslog_address_forms =
    "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH (with #dgram or #stream at its end to say which), or "
    "journald";

}  // namespace unicoro::log

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace unicoro::settings {

/// Every IPv6 address of the machine, and the IPv4 ones perhaps with them.
[[nodiscard]] bool is_any_ipv6(const bind_address& address) noexcept;

/// IPv4, or a name: IPv4 is preferred for those.
[[nodiscard]] bool is_ipv4(const bind_address& address) noexcept;

/// Only this machine reaches it: 127.0.0.0/8, ::1 or "localhost". Not said of an inherited one.
[[nodiscard]] bool is_loopback(const bind_address& address) noexcept;

/// Reads HOST, HOST:PORT, [IPV6]:PORT, :PORT, tcp://..., unix:PATH, unix://PATH or fd://N as
/// gunicorn does; the port is 8000 when not given, "" is 0.0.0.0:8000. Otherwise `problem` says
/// what is wrong with it.
[[nodiscard]] std::optional<bind_address> parse_bind_address(std::string_view written, std::string& problem);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"

#include <string_view>

namespace unicoro::monitor {

/// True when the request carries the token (RFC 6750, 2.1). Takes as long for any wrong one.
[[nodiscard]] bool carries_token(const http::request_head& request, std::string_view token) noexcept;

/// Whether a Host field (with or without port) may be this machine's: an address, localhost or a name below
/// it, or none at all. A page that has had its name pointed to 127.0.0.1 (DNS rebinding) comes with that
/// name, and a browser always sends one.
[[nodiscard]] bool is_own_name(std::string_view authority) noexcept;

}  // namespace unicoro::monitor

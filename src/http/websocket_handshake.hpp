// SPDX-License-Identifier: MIT
#pragma once

#include "http/refusal.hpp"
#include "http/request_head.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// Judges a WebSocket handshake (RFC 6455, 4.2.1; in HTTP/2 without a key, RFC 8441, 5). False: `why` has
/// 400, or 426 for another version than 13 and for a head that does not want one.
[[nodiscard]] bool valid_websocket_handshake(const request_head& head, refusal& why);

/// The subprotocols offered, in the client's order. Empty elements are left out.
[[nodiscard]] std::vector<std::string_view> offered_subprotocols(const request_head& head);

[[nodiscard]] bool offers_subprotocol(const request_head& head, std::string_view name);

/// Fields of the answer that the handshake decides about, whatever an application adds.
[[nodiscard]] bool is_of_handshake(std::string_view field_name) noexcept;

/// Sec-WebSocket-Accept for the client's key (RFC 6455, 4.2.2).
[[nodiscard]] std::string websocket_accept(std::string_view key);

/// The extensions offered, the fields joined to one.
[[nodiscard]] std::string offered_extensions(const request_head& head);

}  // namespace unicoro::http

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::http {

/// What a frame of a WebSocket says (RFC 6455, 5.2): those that a server writes whole.
enum class websocket_opcode : std::uint8_t { text = 0x1, binary = 0x2, close = 0x8 };

/// Appends a final, unmasked and uncompressed frame.
void append_websocket_frame(std::string& out, websocket_opcode opcode, std::string_view payload);

/// The payload of a close frame; `reason` as `cut_close_reason` gives it.
[[nodiscard]] std::string close_payload(std::uint16_t code, std::string_view reason);

/// As much of a reason as a close frame takes, cut where no character of UTF-8 is broken.
[[nodiscard]] std::string_view cut_close_reason(std::string_view reason) noexcept;

/// May this code be in a close frame that is sent (RFC 6455, 7.4)?
[[nodiscard]] bool is_close_code(std::uint16_t code) noexcept;

/// False when UTF-8 that is valid so far lacks the rest of its last character.
[[nodiscard]] bool ends_whole(std::string_view utf8) noexcept;

}  // namespace unicoro::http

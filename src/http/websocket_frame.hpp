// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::http {

/// What a frame of a WebSocket is (RFC 6455, 5.2).
enum class websocket_opcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xA,
};

/// Bits beside the opcode.
inline constexpr std::uint8_t websocket_final = 0x80;
inline constexpr std::uint8_t websocket_compressed = 0x40;  // RSV1 (RFC 7692, 6)

/// Appends the head of an unmasked frame.
void append_websocket_head(std::string& out, std::uint8_t bits, websocket_opcode opcode, std::uint64_t size);

/// Appends a final, unmasked and uncompressed frame.
void append_websocket_frame(std::string& out, websocket_opcode opcode, std::string_view payload);

/// The payload of a close frame; `reason` as `cut_close_reason` gives it.
[[nodiscard]] std::string close_payload(std::uint16_t code, std::string_view reason);

/// As much of a reason as a close frame takes, cut where no character of UTF-8 is broken.
[[nodiscard]] std::string_view cut_close_reason(std::string_view reason) noexcept;

/// May this code be in a close frame (RFC 6455, 7.4)?
[[nodiscard]] bool is_close_code(std::uint16_t code) noexcept;

}  // namespace unicoro::http

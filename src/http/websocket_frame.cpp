// SPDX-License-Identifier: MIT
#include "http/websocket_frame.hpp"

namespace unicoro::http {
namespace {

constexpr std::size_t longest_reason = 123;  // RFC 6455, 5.5

bool continues(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

void append_number(std::string& out, std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        out += static_cast<char>(static_cast<unsigned char>(number >> static_cast<unsigned>(shift)));
    }
}

}  // namespace

void append_websocket_head(std::string& out, std::uint8_t bits, websocket_opcode opcode, std::uint64_t size) {
    constexpr std::uint64_t longest_short = 125;
    constexpr std::uint64_t longest_16_bit = 0xFFFF;
    out += static_cast<char>(bits | static_cast<std::uint8_t>(opcode));
    if (size <= longest_short) {
        append_number(out, size, 1);
    } else if (size <= longest_16_bit) {
        append_number(out, 126, 1);
        append_number(out, size, 2);
    } else {
        append_number(out, 127, 1);
        append_number(out, size, 8);
    }
}

void append_websocket_frame(std::string& out, websocket_opcode opcode, std::string_view payload) {
    append_websocket_head(out, websocket_final, opcode, payload.size());
    out.append(payload);
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
    std::string payload;
    append_number(payload, code, 2);
    return payload.append(reason);
}

std::string_view cut_close_reason(std::string_view reason) noexcept {
    if (reason.size() <= longest_reason) return reason;
    std::size_t size = longest_reason;
    while (size > 0 && continues(reason[size])) --size;
    return reason.substr(0, size);
}

bool is_close_code(std::uint16_t code) noexcept {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace unicoro::http

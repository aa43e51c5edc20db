// SPDX-License-Identifier: MIT
#pragma once

#include "http/websocket_codec.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::test {

/// A frame as a client sends it, masked. `bits` are all of the first byte but the opcode.
std::string client_frame(
    http::websocket_opcode opcode, std::string_view payload, std::uint8_t bits = http::websocket_final
);

/// What a decoder says of bytes that come `piece` at a time, a line per event: `text:hi`, `binary:`,
/// `ping:x`, `close:1000 bye`, `failure:1002`. What follows a close or a failure is not decoded.
std::vector<std::string> events_of(http::websocket_decoder& decoder, std::string bytes, std::size_t piece);

}  // namespace unicoro::test

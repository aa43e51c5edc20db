// SPDX-License-Identifier: MIT
#include "unit/http/client_frames.hpp"

#include <algorithm>
#include <array>

namespace unicoro::test {
namespace {

std::string told(http::websocket_decoder& decoder, http::websocket_event event) {
    switch (event) {
        case http::websocket_event::none: return "none";
        case http::websocket_event::message:
            return (decoder.text() ? "text:" : "binary:") + decoder.take_message();
        case http::websocket_event::ping: return "ping:" + std::string(decoder.payload());
        case http::websocket_event::pong: return "pong:" + std::string(decoder.payload());
        case http::websocket_event::close:
            return "close:" + std::to_string(decoder.code()) + " " + std::string(decoder.payload());
        case http::websocket_event::failure: return "failure:" + std::to_string(decoder.code());
    }
    return "unknown";
}

}  // namespace

std::string client_frame(http::websocket_opcode opcode, std::string_view payload, std::uint8_t bits) {
    static constexpr std::array<char, 4> mask{'\x0f', '\x00', '\x7e', '\x91'};
    std::string frame;
    http::append_websocket_head(frame, bits, opcode, payload.size());
    frame[1] = static_cast<char>(static_cast<unsigned char>(frame[1]) | 0x80U);
    frame.append(mask.data(), mask.size());
    for (std::size_t at = 0; at < payload.size(); ++at) {
        frame += static_cast<char>(payload[at] ^ mask[at % mask.size()]);
    }
    return frame;
}

std::vector<std::string> events_of(http::websocket_decoder& decoder, std::string bytes, std::size_t piece) {
    std::vector<std::string> events;
    std::span<char> left(bytes);
    while (!left.empty()) {
        std::span<char> input = left.first(std::min(piece, left.size()));
        left = left.subspan(input.size());
        while (!input.empty()) {
            const http::websocket_event event = decoder.next(input);
            if (event == http::websocket_event::none) break;
            events.push_back(told(decoder, event));
            if (event == http::websocket_event::close || event == http::websocket_event::failure) {
                return events;
            }
        }
    }
    return events;
}

}  // namespace unicoro::test

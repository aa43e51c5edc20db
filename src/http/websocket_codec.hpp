// SPDX-License-Identifier: MIT
#pragma once

#include "http/utf8_checker.hpp"
#include "http/websocket_deflate.hpp"
#include "http/websocket_frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace unicoro::http {

enum class websocket_event : std::uint8_t {
    none,  ///< more bytes are needed
    message,
    ping,
    pong,
    close,
    failure,  ///< a mistake of the client: `code` is what it is closed with, and nothing more is decoded
};

/// What the bytes of a client mean (RFC 6455, 5; RFC 7692): joins fragments, decompresses, validates. Gives
/// the same events however the bytes are cut (of two mistakes in a compressed message it may be the other);
/// memory is taken as they arrive, not as a frame announces.
class websocket_decoder {
  public:
    /// `message_limit` counts bytes of a message, decompressed; 0 = any.
    websocket_decoder(std::uint64_t message_limit, const std::optional<deflate_agreement>& deflate);

    /// Takes bytes from the front of `input`, which it unmasks in place, to the end of the first event.
    websocket_event next(std::span<char>& input);

    /// How many bytes the frame that has begun still lacks: who reads no more has none left over behind it.
    [[nodiscard]] std::uint64_t missing() const noexcept { return in_payload_ ? left_ : 0; }

    /// Of a message. Text is valid UTF-8.
    [[nodiscard]] bool text() const noexcept { return text_; }
    [[nodiscard]] std::string take_message() noexcept { return std::exchange(message_, std::string()); }
    /// Of a ping or pong; the reason of a close.
    [[nodiscard]] std::string_view payload() const noexcept;
    /// Of a close, 1005 where it has none (RFC 6455, 7.1.5); of a failure.
    [[nodiscard]] std::uint16_t code() const noexcept { return code_; }

  private:
    /// False when more bytes are needed or `code_` tells why the head is wrong.
    bool take_head(std::span<char>& input);
    [[nodiscard]] std::size_t head_wanted() const noexcept;
    [[nodiscard]] bool valid_start() const noexcept;
    bool begin_frame();
    websocket_event take_control(std::span<char>& input);
    websocket_event take_data(std::span<char>& input);
    bool take_payload(std::string_view piece, bool last);
    void make_room(std::size_t size);
    void unmask(std::span<char> bytes) noexcept;
    bool fail(std::uint16_t code) noexcept;
    bool read_close();

    std::uint64_t limit_;
    std::optional<websocket_inflater> inflater_;

    std::array<unsigned char, 14> head_{};
    std::uint8_t head_size_ = 0;
    websocket_opcode opcode_ = websocket_opcode::continuation;
    bool final_ = false;
    bool in_payload_ = false;
    std::array<unsigned char, 4> mask_{};  // turned to the next byte
    std::uint64_t left_ = 0;               // of the frame's payload

    std::array<char, 125> control_;
    std::uint8_t control_size_ = 0;
    std::uint16_t code_ = 0;

    std::string message_;
    utf8_checker utf8_;
    bool in_message_ = false;  // the next data frame continues it
    bool text_ = false;
    bool compressed_ = false;
};

/// The frames of a server's messages.
class websocket_encoder {
  public:
    struct frame {
        std::string_view body;  ///< goes out behind what was appended; part of the message
        bool last;
    };

    explicit websocket_encoder(const std::optional<deflate_agreement>& deflate);

    /// The next frame of a message: appends its head to `out`, and its payload where that is compressed. The
    /// message is the same until its last frame was made.
    frame next(std::string& out, websocket_opcode opcode, std::string_view message);

    /// In the middle of a message.
    [[nodiscard]] bool begun() const noexcept { return begun_; }

  private:
    std::optional<websocket_deflater> deflater_;
    std::size_t used_ = 0;  // of the message
    bool begun_ = false;
};

}  // namespace unicoro::http

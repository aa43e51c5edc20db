// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace boost::beast::zlib {
class deflate_stream;
class inflate_stream;
}  // namespace boost::beast::zlib

namespace unicoro::http {

/// What was agreed on about permessage-deflate (RFC 7692, 7.1).
struct deflate_agreement {
    int server_window_bits = 15;
    int client_window_bits = 15;
    bool server_keeps_context = true;  ///< from message to message
    bool client_keeps_context = true;
};

/// Chooses from what Sec-WebSocket-Extensions offers. Nothing: no compression; else `answer` is the value
/// of that field in the 101.
[[nodiscard]] std::optional<deflate_agreement> accept_deflate(std::string_view offers, std::string& answer);

/// Compresses messages. The memory for it, some 30 KiB, is taken at the first one, and kept for the next as
/// far as that is agreed on.
class websocket_deflater {
  public:
    explicit websocket_deflater(const deflate_agreement& agreed);
    websocket_deflater(websocket_deflater&&) noexcept;
    ~websocket_deflater();

    /// Appends the payload of one frame to `out`, and takes what that holds from `message`. True when this
    /// was the last one: an empty message has one too.
    [[nodiscard]] bool compress(std::string_view& message, std::string& out);

  private:
    int window_bits_;
    bool keeps_context_;
    std::unique_ptr<boost::beast::zlib::deflate_stream> stream_;
};

/// Decompresses messages, with memory as websocket_deflater has it (some 40 KiB).
class websocket_inflater {
  public:
    enum class outcome : std::uint8_t { done, too_long, invalid };

    explicit websocket_inflater(const deflate_agreement& agreed);
    websocket_inflater(websocket_inflater&&) noexcept;
    ~websocket_inflater();

    /// Appends what a piece of a payload means to `message`, which never grows beyond `limit` (0 = any).
    [[nodiscard]] outcome inflate(std::string_view piece, std::uint64_t limit, std::string& message);
    /// The same for the end of a message.
    [[nodiscard]] outcome finish(std::uint64_t limit, std::string& message);

  private:
    int window_bits_;
    bool keeps_context_;
    std::unique_ptr<boost::beast::zlib::inflate_stream> stream_;
};

}  // namespace unicoro::http

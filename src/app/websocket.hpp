// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>
#include <unicoro/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::app {

class exchange;

/// Judges the handshake of a request with `head().wants_websocket`. One with a mistake is answered here
/// with 400, or 426 for another version (RFC 6455, 4.2.1), and false returned: the host has nothing
/// more to do. True: accept it, or deny it with an ordinary response.
[[nodiscard]] bool admit_websocket(exchange& request);

/// A whole message. `text` is valid UTF-8 when received, and must be when sent.
struct websocket_message {
    enum class kind : std::uint8_t { text, binary };

    kind type = kind::text;
    std::string data;
};

/// How a WebSocket ended. `code` is the peer's, else: 1005 its close frame had none; 1006 the
/// connection broke, or nothing answered the pings; 1002, 1007 or 1009 it was failed here for a broken
/// frame, invalid UTF-8 or ws_max_size.
struct websocket_close {
    std::uint16_t code = 1006;
    std::string reason;
};

/// An accepted WebSocket (RFC 6455). Worker only, on the event loop. It has ended when its exchange goes;
/// who holds it, other requests too, may go on calling: what waits ends then, nothing can be sent any
/// more. A coroutine that awaits one of these holds it until that returns. Pings are sent and answered,
/// fragments joined and messages (de)compressed below it. Any number of coroutines may receive and send
/// at the same time; each message goes to one receiver, and messages leave in the order of the calls.
///
/// Awaiting here may be cancelled (Asio cancellation) without harm: no message is lost or cut. When
/// `handle` returns with the WebSocket open, it is closed with 1000 (1011 when it threw); the server
/// itself closes with 1012 when the worker ends. Either way `receive` then returns nothing.
class websocket {
  public:
    websocket() = default;
    websocket(const websocket&) = delete;
    websocket& operator=(const websocket&) = delete;
    virtual ~websocket() = default;

    /// The next message. Nothing when the WebSocket has ended and all that came before was received:
    /// then `ended` tells how. While nobody receives, the client is stopped after some messages.
    virtual awaitable<std::optional<websocket_message>> receive() = 0;
    /// The same without waiting; nothing also when none has come yet.
    [[nodiscard]] virtual std::optional<websocket_message> try_receive() = 0;

    /// Sends a message and returns when the kernel took it: that is the back-pressure. Fails with
    /// errc::websocket_closed when it is closed or closing, on either side.
    virtual awaitable<error_code> send(websocket_message message) = 0;
    /// While no more than this is unsent, what was posted counts as sent: it goes out also when the peer
    /// closes behind it.
    static constexpr std::size_t sent_at_once = 64 * 1024;

    /// Sends without waiting. Who sends much must await `flush` now and then: all of it is kept.
    [[nodiscard]] virtual error_code post(websocket_message message) = 0;
    /// Bytes that messages take which were posted and are not yet with the kernel; some for each, also
    /// for an empty one.
    [[nodiscard]] virtual std::size_t unsent() const noexcept = 0;
    /// Whether all that was posted is with the kernel, also when the WebSocket has ended since.
    [[nodiscard]] virtual bool all_sent() const noexcept = 0;
    /// Waits until the kernel has what was posted so far; errc::websocket_closed when it ended before.
    virtual awaitable<error_code> flush() = 0;

    /// Begins the closing handshake behind what was sent, and returns at once; the host may return
    /// from `handle`. What arrives from now on is dropped. Does nothing when it is closed or closing.
    /// `code` is one that may be sent (1000 to 1003, 1007 to 1014, 3000 to 4999), else
    /// errc::invalid_close_code. `reason` is UTF-8 and cut to 123 bytes.
    [[nodiscard]] virtual error_code close(std::uint16_t code, std::string_view reason) = 0;
    /// The same for a client that is too slow: forgets what it has not begun to send, and cuts the
    /// connection when the rest and the close frame take long.
    virtual void give_up(std::uint16_t code, std::string_view reason) = 0;

    /// Something can be sent: it is neither closed nor closing, on either side.
    [[nodiscard]] virtual bool is_open() const noexcept = 0;
    /// How it ended; nothing while it is open or the closing handshake runs.
    [[nodiscard]] virtual const std::optional<websocket_close>& ended() const noexcept = 0;
};

}  // namespace unicoro::app

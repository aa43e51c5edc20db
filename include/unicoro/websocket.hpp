// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>
#include <unicoro/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro {

class request;

namespace app {
struct native_websocket;
}

/// A WebSocket (RFC 6455), accepted from a request. The handler goes on as the WebSocket's coroutine;
/// when it returns, the WebSocket is closed if it is still open, and its response is ignored:
///
///     unicoro::websocket socket = co_await unicoro::websocket::accept(request);
///     for (;;) {
///         std::optional<unicoro::websocket::message> heard = co_await socket.receive();
///         if (!heard) break;
///         co_await socket.send_text("you said " + heard->data);
///     }
///     co_return unicoro::response();
///
/// The server answers and sends pings, and closes with 1012 when the worker ends.
///
/// A copy is the same WebSocket, and shares in owning it: copies may be kept in lists, used by the
/// coroutines of other requests, and outlive the handler, the connection and the handle they were made
/// from, also while one of the calls below waits. On one that has ended, what waits ends, sending fails
/// with errc::websocket_closed, and receiving gives nothing. Only the worker's own thread may use it.
class websocket {
  public:
    struct message {
        bool text;  ///< valid UTF-8, else binary
        std::string data;
    };

    /// What becomes of a message that is posted while enough waits for a client already.
    enum class when_full : std::uint8_t {
        drop,   ///< it is not sent; what waits is
        close,  ///< nor is what waits: the client is too slow, its WebSocket is closed with 1008
    };

    // Moving copies: there is no handle without a WebSocket.
    websocket(const websocket&) = default;
    websocket& operator=(const websocket&) = default;
    ~websocket() = default;

    /// Accepts with one of the subprotocols that the client offers, or none, and header fields to be
    /// added to the answer. A request that asks for none, or wrongly, throws: let it pass, and the
    /// server answers 426 or 400. To refuse, return an ordinary response instead.
    static awaitable<websocket> accept(
        request& asked,
        std::string subprotocol = {},
        std::vector<std::pair<std::string, std::string>> headers = {}
    );

    /// The next whole message; nothing when the WebSocket has ended.
    awaitable<std::optional<message>> receive();

    /// Done when the kernel took it, which is the back-pressure. Throws `boost::system::system_error`
    /// with errc::websocket_closed when nobody listens any more: let it pass, it is no failure.
    awaitable<void> send_text(std::string text);
    awaitable<void> send_binary(std::string bytes);

    /// Sends without waiting: for one message to many, of whom none shall wait for a slow one. It is
    /// queued behind what was sent before; each WebSocket has a queue. Never throws for the client's
    /// sake: fails with errc::websocket_closed when nobody listens any more, with errc::queue_full when
    /// enough waits already, and then does what `limit_queue` has said.
    error_code post_text(std::string text);
    error_code post_binary(std::string bytes);

    /// Bounds what may wait when something is posted: by default 1 MiB, and to be closed beyond. An
    /// empty queue takes a message of any size. What is posted without ever waiting in between counts,
    /// however fast the client is: send much with `send_text`.
    void limit_queue(std::size_t bytes, when_full then = when_full::close) noexcept;

    /// Bytes that wait for the client, with some for each message.
    [[nodiscard]] std::size_t unsent() const noexcept;

    /// Begins to close, behind what was sent. `code` is 1000 to 1003, 1007 to 1014 or 3000 to 4999;
    /// others throw std::invalid_argument.
    void close(std::uint16_t code = 1000, std::string_view reason = {});

    /// Something can be sent: it is neither closed nor closing, on either side.
    [[nodiscard]] bool is_open() const noexcept;

    /// How it ended: the peer's code, 1005 if it gave none, 1006 if the connection broke; 0 = not yet.
    [[nodiscard]] std::uint16_t close_code() const noexcept;
    /// Valid as long as a copy of this handle.
    [[nodiscard]] std::string_view close_reason() const noexcept;

    /// The same WebSocket? To find one in a list.
    friend bool operator==(const websocket&, const websocket&) noexcept = default;

  private:
    explicit websocket(std::shared_ptr<app::native_websocket> shared) noexcept : shared_(std::move(shared)) {}

    std::shared_ptr<app::native_websocket> shared_;
};

}  // namespace unicoro

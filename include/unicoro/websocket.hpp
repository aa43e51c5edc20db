// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro {

class request;

namespace app {
class websocket;
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
/// The server answers and sends pings, and closes with 1012 when the worker ends. Many coroutines may
/// use one WebSocket; all must have ended when the handler returns. Copies are the same WebSocket.
class websocket {
  public:
    struct message {
        bool text;         ///< valid UTF-8, else binary
        std::string data;
    };

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

    /// Begins to close, behind what was sent. `code` is 1000 to 1003, 1007 to 1014 or 3000 to 4999;
    /// others throw std::invalid_argument.
    void close(std::uint16_t code = 1000, std::string_view reason = {});

    /// How it ended: the peer's code, 1005 if it gave none, 1006 if the connection broke; 0 = open.
    [[nodiscard]] std::uint16_t close_code() const noexcept;
    [[nodiscard]] std::string_view close_reason() const noexcept;

  private:
    explicit websocket(app::websocket& socket) noexcept : socket_(&socket) {}

    app::websocket* socket_;
};

}  // namespace unicoro

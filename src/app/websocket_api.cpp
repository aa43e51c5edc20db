// SPDX-License-Identifier: MIT
// The WebSockets of native applications.
#include "app/exchange.hpp"
#include "app/websocket.hpp"
#include "http/websocket_handshake.hpp"

#include <unicoro/request.hpp>
#include <unicoro/websocket.hpp>

#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace unicoro {
namespace {

using kind = app::websocket_message::kind;

awaitable<void> send(app::websocket& socket, kind type, std::string data) {
    app::websocket_message message;
    message.type = type;
    message.data = std::move(data);
    const error_code ec = co_await socket.send(std::move(message));
    if (ec) throw boost::system::system_error(ec);
}

}  // namespace

bool request::wants_websocket() const noexcept { return exchange_.head().wants_websocket; }

std::vector<std::string_view> request::websocket_subprotocols() const {
    return app::offered_subprotocols(exchange_.head());
}

awaitable<websocket> websocket::accept(
    request& asked,
    std::string subprotocol,
    std::vector<std::pair<std::string, std::string>> headers
) {
    app::exchange& exchange = asked.exchange_;
    http::refusal why;
    if (!http::valid_websocket_handshake(exchange.head(), why)) {
        throw boost::system::system_error(make_error_code(errc::invalid_handshake));
    }
    for (const auto& [name, value] : headers) {
        const error_code ec = exchange.response().add(name, value);
        if (ec) throw boost::system::system_error(ec, name);
    }
    const result<app::websocket*> accepted =
        co_await exchange.accept_websocket(std::move(subprotocol));
    if (!accepted) throw boost::system::system_error(accepted.error());
    co_return websocket(**accepted);
}

awaitable<std::optional<websocket::message>> websocket::receive() {
    std::optional<app::websocket_message> heard = co_await socket_->receive();
    std::optional<message> given;
    if (heard) {
        given.emplace();
        given->text = heard->type == kind::text;
        given->data = std::move(heard->data);
    }
    co_return given;
}

awaitable<void> websocket::send_text(std::string text) {
    return send(*socket_, kind::text, std::move(text));
}

awaitable<void> websocket::send_binary(std::string bytes) {
    return send(*socket_, kind::binary, std::move(bytes));
}

void websocket::close(std::uint16_t code, std::string_view reason) {
    if (socket_->close(code, reason)) {
        throw std::invalid_argument("WebSocket close code " + std::to_string(code) + " may not be sent");
    }
}

std::uint16_t websocket::close_code() const noexcept {
    return socket_->ended() ? socket_->ended()->code : std::uint16_t{0};
}

std::string_view websocket::close_reason() const noexcept {
    return socket_->ended() ? std::string_view(socket_->ended()->reason) : std::string_view();
}

}  // namespace unicoro

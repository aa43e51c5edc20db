// SPDX-License-Identifier: MIT
// The WebSockets of native applications.
#include "app/exchange.hpp"
#include "app/websocket.hpp"
#include "http/websocket_handshake.hpp"

#include <unicoro/request.hpp>
#include <unicoro/websocket.hpp>

#include <boost/system/system_error.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace unicoro {

namespace app {

/// What the copies of a handle share.
struct native_websocket {
    std::shared_ptr<websocket> socket;
    std::size_t queue_limit = std::size_t{1} << 20;
    unicoro::websocket::when_full when_full = unicoro::websocket::when_full::close;
};

}  // namespace app

namespace {

using kind = app::websocket_message::kind;
// Coroutines take one by value: the handle they were called by may go while they wait.
using shared = std::shared_ptr<app::native_websocket>;

app::websocket_message message_of(kind type, std::string data) {
    app::websocket_message message;
    message.type = type;
    message.data = std::move(data);
    return message;
}

awaitable<void> send(shared to, kind type, std::string data) {
    app::websocket_message message = message_of(type, std::move(data));
    const error_code ec = co_await to->socket->send(std::move(message));
    if (ec) throw boost::system::system_error(ec);
}

awaitable<std::optional<websocket::message>> receive_from(shared from) {
    std::optional<app::websocket_message> heard = co_await from->socket->receive();
    std::optional<websocket::message> given;
    if (heard) {
        given.emplace();
        given->text = heard->type == kind::text;
        given->data = std::move(heard->data);
    }
    co_return given;
}

error_code post(const app::native_websocket& to, kind type, std::string data) {
    constexpr std::uint16_t policy_violation = 1008;
    app::websocket& socket = *to.socket;
    const std::size_t waiting = socket.unsent();
    const bool room = waiting == 0 || (waiting < to.queue_limit && data.size() <= to.queue_limit - waiting);
    if (room || !socket.is_open()) return socket.post(message_of(type, std::move(data)));
    if (to.when_full == websocket::when_full::close) socket.give_up(policy_violation, "too slow");
    return errc::queue_full;
}

}  // namespace

bool request::wants_websocket() const noexcept {
    return exchange_.head().wants_websocket;
}

std::vector<std::string_view> request::websocket_subprotocols() const {
    return http::offered_subprotocols(exchange_.head());
}

awaitable<websocket> websocket::accept(
    request& asked, std::string subprotocol, std::vector<std::pair<std::string, std::string>> headers
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
    const result<std::shared_ptr<app::websocket>> accepted =
        co_await exchange.accept_websocket(std::move(subprotocol));
    if (!accepted) throw boost::system::system_error(accepted.error());
    auto made = std::make_shared<app::native_websocket>();
    made->socket = *accepted;
    websocket handle(std::move(made));
    co_return handle;
}

awaitable<std::optional<websocket::message>> websocket::receive() {
    return receive_from(shared_);
}

awaitable<void> websocket::send_text(std::string text) {
    return send(shared_, kind::text, std::move(text));
}

awaitable<void> websocket::send_binary(std::string bytes) {
    return send(shared_, kind::binary, std::move(bytes));
}

error_code websocket::post_text(std::string text) {
    return post(*shared_, kind::text, std::move(text));
}

error_code websocket::post_binary(std::string bytes) {
    return post(*shared_, kind::binary, std::move(bytes));
}

void websocket::limit_queue(std::size_t bytes, when_full then) noexcept {
    shared_->queue_limit = bytes;
    shared_->when_full = then;
}

std::size_t websocket::unsent() const noexcept {
    return shared_->socket->unsent();
}

void websocket::close(std::uint16_t code, std::string_view reason) {
    if (shared_->socket->close(code, reason)) {
        throw std::invalid_argument("WebSocket close code " + std::to_string(code) + " may not be sent");
    }
}

bool websocket::is_open() const noexcept {
    return shared_->socket->is_open();
}

std::uint16_t websocket::close_code() const noexcept {
    const auto& ended = shared_->socket->ended();
    return ended ? ended->code : std::uint16_t{0};
}

std::string_view websocket::close_reason() const noexcept {
    const auto& ended = shared_->socket->ended();
    return ended ? std::string_view(ended->reason) : std::string_view();
}

}  // namespace unicoro

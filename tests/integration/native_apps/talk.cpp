// SPDX-License-Identifier: MIT
// What the WebSocket tests need of an application: the path says what it does.
#include "gate.hpp"

#include <unicoro/unicoro.hpp>

#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using unicoro::awaitable;
using unicoro::request;
using unicoro::response;
using unicoro::websocket;

// How the WebSockets ended, by the name in their query.
std::map<std::string, std::string> endings;

void note_ending(request& asked, const websocket& socket) {
    const std::string name = asked.query_parameter("name").value_or("");
    if (name.empty()) return;
    endings[name] = std::to_string(socket.close_code()) + " " + std::string(socket.close_reason());
}

awaitable<void> send(websocket socket, websocket::message message) {
    if (message.text) {
        co_await socket.send_text(std::move(message.data));
    } else {
        co_await socket.send_binary(std::move(message.data));
    }
}

awaitable<void> echo_all(websocket socket) {
    for (;;) {
        std::optional<websocket::message> heard = co_await socket.receive();
        if (!heard) co_return;
        co_await send(socket, std::move(*heard));
    }
}

awaitable<response> echo(request& asked) {
    websocket socket = co_await websocket::accept(asked);
    co_await echo_all(socket);
    note_ending(asked, socket);
    co_return response();
}

// Chooses the subprotocol that the query names, or the last one offered.
awaitable<response> choose(request& asked) {
    std::string chosen = asked.query_parameter("subprotocol").value_or("");
    const auto offered = asked.websocket_subprotocols();
    if (chosen.empty() && !offered.empty()) chosen = offered.back();
    std::vector<std::pair<std::string, std::string>> headers;
    headers.emplace_back("X-Chosen", chosen);
    headers.emplace_back("Sec-WebSocket-Accept", "forged");
    websocket socket = co_await websocket::accept(asked, chosen, std::move(headers));
    co_await echo_all(socket);
    co_return response();
}

awaitable<response> close(request& asked) {
    websocket socket = co_await websocket::accept(asked);
    const int code = std::atoi(asked.query_parameter("code").value_or("1000").c_str());
    const std::string reason = asked.query_parameter("reason").value_or("");
    co_await socket.send_text("before");
    socket.close(static_cast<std::uint16_t>(code), reason);
    std::optional<websocket::message> heard = co_await socket.receive();
    while (heard) heard = co_await socket.receive();
    note_ending(asked, socket);
    co_return response();
}

// Returns, or throws, without closing.
awaitable<response> leave(request& asked) {
    websocket socket = co_await websocket::accept(asked);
    co_await socket.send_text("bye");
    if (asked.query_parameter("throw")) throw std::runtime_error("thrown by talk");
    co_return response::text("ignored");
}

awaitable<response> flood(request& asked) {
    websocket socket = co_await websocket::accept(asked);
    const std::string piece(64 * 1024, 'f');
    const int count = std::atoi(asked.query_parameter("count").value_or("1").c_str());
    for (int i = 0; i < count; ++i) co_await socket.send_binary(piece);
    co_return response();
}

// Receives nothing until the gate opens.
awaitable<response> deaf(request& asked) {
    websocket socket = co_await websocket::accept(asked);
    probe::gate held(asked.query_parameter("gate").value_or(""));
    co_await held.pass();
    std::optional<websocket::message> heard = co_await socket.receive();
    while (heard) heard = co_await socket.receive();
    note_ending(asked, socket);
    co_return response();
}

awaitable<response> handle(request& asked) {
    if (asked.path() == "/echo") co_return co_await echo(asked);
    if (asked.path() == "/choose") co_return co_await choose(asked);
    if (asked.path() == "/close") co_return co_await close(asked);
    if (asked.path() == "/leave") co_return co_await leave(asked);
    if (asked.path() == "/flood") co_return co_await flood(asked);
    if (asked.path() == "/deaf") co_return co_await deaf(asked);
    if (asked.path() == "/deny") co_return response::text("not today\n", 403);
    if (asked.path() == "/ending") {
        co_return response::text(endings[asked.query_parameter("name").value_or("")]);
    }
    co_return response::text("plain\n");
}

}  // namespace

extern "C" const unicoro::application app{.handle = handle};

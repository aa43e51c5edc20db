// SPDX-License-Identifier: MIT
// Handles of WebSockets in hands other than their own handler's: kept, used by other requests, outlived.
#include "gate.hpp"

#include <unicoro/unicoro.hpp>

#include <boost/system/system_error.hpp>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using unicoro::awaitable;
using unicoro::request;
using unicoro::response;
using unicoro::websocket;

std::map<std::string, websocket> kept;
int receiving = 0;

std::string text(request& asked, std::string_view name) {
    return asked.query_parameter(name).value_or("");
}

std::size_t number(request& asked, std::string_view name) {
    return static_cast<std::size_t>(std::strtoull(text(asked, name).c_str(), nullptr, 10));
}

// Receives until the end, or returns when the gate opens, or when it is cancelled.
awaitable<response> join(request& asked) {
    websocket socket = co_await websocket::accept(asked);
    kept.insert_or_assign(text(asked, "name"), socket);
    if (asked.query_parameter("limit")) {
        const bool drop = text(asked, "then") == "drop";
        socket.limit_queue(
            number(asked, "limit"), drop ? websocket::when_full::drop : websocket::when_full::close
        );
    }
    if (asked.query_parameter("gate")) {
        probe::gate held(text(asked, "gate"));
        co_await held.pass();
        co_return response();
    }
    std::optional<websocket::message> heard = co_await socket.receive();
    while (heard) heard = co_await socket.receive();
    co_return response();
}

awaitable<std::string> send_all(request& asked, bool keeps) {
    const std::string name = text(asked, "to");
    const std::string piece(number(asked, "size"), 's');
    const std::size_t count = number(asked, "count");
    std::size_t sent = 0;
    std::optional<websocket> mine;
    if (keeps) mine = kept.at(name);
    try {
        for (; sent < count; ++sent) {
            // Without a handle of its own it calls by one that another request may erase meanwhile.
            if (!mine && !kept.contains(name)) break;
            websocket& socket = mine ? *mine : kept.at(name);
            co_await socket.send_text(piece);
        }
    } catch (const boost::system::system_error& error) {
        co_return std::to_string(sent) + " sent, then: " + error.code().message();
    }
    co_return std::to_string(sent) + " sent";
}

awaitable<response> send(request& asked) {
    std::string outcome = co_await send_all(asked, asked.query_parameter("keeps").has_value());
    co_return response::text(std::move(outcome));
}

// Lets what the WebSocket's end throws pass.
awaitable<response> send_once(request& asked) {
    websocket socket = kept.at(text(asked, "to"));
    co_await socket.send_text("once");
    co_return response::text("sent");
}

awaitable<response> receive(request& asked) {
    ++receiving;
    std::optional<websocket::message> heard = co_await kept.at(text(asked, "from")).receive();
    --receiving;
    co_return response::text(heard ? heard->data : "nothing");
}

awaitable<response> post(request& asked) {
    const std::string piece(number(asked, "size"), 'p');
    const std::size_t count = number(asked, "count");
    std::string outcome;
    for (auto& [name, socket] : kept) {
        std::map<std::string, std::size_t> answers;
        for (std::size_t i = 0; i < count; ++i) ++answers[socket.post_text(piece).message()];
        outcome += name + ":";
        for (const auto& [answer, times] : answers) outcome += " " + std::to_string(times) + " " + answer;
        outcome += "\n";
    }
    co_return response::text(std::move(outcome));
}

awaitable<response> state(request& asked) {
    const auto found = kept.find(text(asked, "of"));
    if (found == kept.end()) co_return response::text("unknown");
    const websocket& socket = found->second;
    co_return response::text(
        (socket.is_open() ? "open " : "closed ") + std::to_string(socket.close_code()) + " " +
        std::string(socket.close_reason()) + ", unsent " + std::to_string(socket.unsent())
    );
}

awaitable<response> handle(request& asked) {
    if (asked.path() == "/join") co_return co_await join(asked);
    if (asked.path() == "/send") co_return co_await send(asked);
    if (asked.path() == "/send-once") co_return co_await send_once(asked);
    if (asked.path() == "/receive") co_return co_await receive(asked);
    if (asked.path() == "/post") co_return co_await post(asked);
    if (asked.path() == "/state") co_return co_await state(asked);
    if (asked.path() == "/receiving") co_return response::text(std::to_string(receiving));
    if (asked.path() == "/close") kept.at(text(asked, "name")).close(4000, "thrown out");
    if (asked.path() == "/forget") kept.erase(text(asked, "name"));
    co_return response::text("done\n");
}

}  // namespace

extern "C" const unicoro::application app{.handle = handle};

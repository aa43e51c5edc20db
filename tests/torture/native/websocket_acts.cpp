// SPDX-License-Identifier: MIT
#include "ask.hpp"

#include <deque>
#include <list>
#include <optional>
#include <utility>

namespace torture {
namespace {

// The members of the chat: each leaves the list when its handler ends.
std::list<websocket> members;
// Handles that outlive their WebSockets.
std::deque<websocket> kept;

class membership {
  public:
    explicit membership(const websocket& socket) : place_(members.insert(members.end(), socket)) {}
    membership(const membership&) = delete;
    membership& operator=(const membership&) = delete;
    ~membership() { members.erase(place_); }

  private:
    std::list<websocket>::iterator place_;
};

awaitable<websocket> accept(request& asked, const ask& wanted) {
    std::vector<std::pair<std::string, std::string>> headers;
    headers.emplace_back("X-Mark", wanted.mark);
    headers.emplace_back("Set-Cookie", "mark=" + wanted.mark);
    co_return co_await websocket::accept(asked, {}, std::move(headers));
}

awaitable<response> echo(request& asked, ask wanted) {
    websocket socket = co_await accept(asked, wanted);
    for (;;) {
        std::optional<websocket::message> heard = co_await socket.receive();
        if (!heard) co_return response();
        if (heard->text) {
            co_await socket.send_text(std::move(heard->data));
        } else {
            co_await socket.send_binary(std::move(heard->data));
        }
    }
}

awaitable<response> refuse(request&, ask wanted) {
    co_await unicoro::sleep_for(wanted.pause);
    co_return wanted.marked(response::text(wanted.pieces(), wanted.status));
}

awaitable<response> fail_first(request&, ask wanted) {
    co_await unicoro::sleep_for(wanted.pause);
    throw on_purpose("OnPurpose " + wanted.mark);
    co_return response();
}

awaitable<void> say_all(websocket socket, ask wanted) {
    for (std::size_t index = 0; index < wanted.count; ++index) {
        if (wanted.pause.count() > 0) co_await unicoro::sleep_for(wanted.pause);
        std::string piece = wanted.piece(index);
        co_await socket.send_text(std::move(piece));
    }
}

awaitable<response> fail_late(request& asked, ask wanted) {
    websocket socket = co_await accept(asked, wanted);
    co_await say_all(socket, wanted);
    throw on_purpose("OnPurpose " + wanted.mark);
    co_return response();
}

/// Ends without closing.
awaitable<response> leave(request& asked, ask wanted) {
    websocket socket = co_await accept(asked, wanted);
    co_await say_all(socket, wanted);
    co_return response();
}

/// Sends without listening.
awaitable<response> flood(request& asked, ask wanted) {
    websocket socket = co_await accept(asked, wanted);
    co_await say_all(socket, wanted);
    socket.close(3000);
    co_return response();
}

/// Everything that is said is said to everyone: members leave while others are being sent to.
awaitable<response> chat(request& asked, ask wanted) {
    websocket socket = co_await accept(asked, wanted);
    const membership here(socket);
    for (;;) {
        std::optional<websocket::message> heard = co_await socket.receive();
        if (!heard) co_return response();
        const std::list<websocket> all = members;
        for (websocket each : all) {
            try {
                co_await each.send_text(heard->data);
            } catch (const boost::system::system_error& error) {
                if (error.code() != unicoro::errc::websocket_closed) throw;
            }
        }
    }
}

/// Leaves its handle to the chatter.
awaitable<response> keep(request& asked, ask wanted) {
    websocket socket = co_await accept(asked, wanted);
    kept.push_back(socket);
    if (kept.size() > 10) kept.pop_front();
    co_await say_all(socket, wanted);
    if (wanted.variant % 2 != 0) co_await socket.receive();
    co_return response();
}

awaitable<void> use(websocket socket) {
    try {
        co_await socket.send_text("late");
        socket.close(1000);
        co_await socket.receive();
    } catch (const boost::system::system_error& error) {
        if (error.code() != unicoro::errc::websocket_closed) throw;
    }
}

}  // namespace

awaitable<void> chatter() {
    for (;;) {
        co_await unicoro::sleep_for(std::chrono::milliseconds(20));
        if (kept.empty()) continue;
        websocket socket = kept.front();
        kept.pop_front();
        co_await use(socket);
    }
}

const acts websocket_acts{
    {"echo", echo},
    {"refuse", refuse},
    {"fail_first", fail_first},
    {"fail_late", fail_late},
    {"leave", leave},
    {"flood", flood},
    {"chat", chat},
    {"keep", keep},
};

}  // namespace torture

// SPDX-License-Identifier: MIT
// A chat: build/unicoro -k async ./build/examples/native/libchat.so:app, and http://127.0.0.1:8000/ in two
// windows. Each worker has a room of its own: with more workers, messages would go between them
// through something outside, such as Redis or PostgreSQL.
#include <unicoro/unicoro.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view page = R"(<!DOCTYPE html>
<meta charset="utf-8"><title>Chat</title>
<form><input placeholder="Say something" autofocus></form><pre></pre>
<script>
const name = prompt("Your name?") || "somebody";
const said = document.querySelector("pre"), input = document.querySelector("input");
const room = new WebSocket(`ws://${location.host}/room?name=${encodeURIComponent(name)}`);
room.onmessage = (message) => said.textContent += message.data + "\n";
room.onclose = (end) => said.textContent += `-- closed: ${end.code} ${end.reason}\n`;
document.querySelector("form").onsubmit = () => { room.send(input.value); input.value = ""; return false; };
</script>
)";

// What may wait for one member: who takes less than the others say is closed.
constexpr std::size_t queue_limit = 256 * 1024;

std::vector<unicoro::websocket> members;

// To all, waiting for none: a slow member does not hold up the others. Nothing is awaited in the loop,
// so the list stays as it is meanwhile.
void say(const std::string& text) {
    for (unicoro::websocket& each : members) each.post_text(text);
}

// A place in the room, which is given up however the handler ends.
class membership {
  public:
    membership(const unicoro::websocket& socket, std::string name) : socket_(socket), name_(std::move(name)) {
        members.push_back(socket_);
        say("-- " + name_ + " came");
    }
    membership(const membership&) = delete;
    membership& operator=(const membership&) = delete;
    ~membership() {
        members.erase(std::find(members.begin(), members.end(), socket_));
        say("-- " + name_ + " left");
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    unicoro::websocket socket_;
    std::string name_;
};

unicoro::awaitable<unicoro::response> join(unicoro::request& request) {
    std::string name = request.query_parameter("name").value_or("somebody");
    unicoro::websocket socket = co_await unicoro::websocket::accept(request);
    socket.limit_queue(queue_limit, unicoro::websocket::when_full::close);
    const membership joined(socket, std::move(name));
    for (;;) {
        std::optional<unicoro::websocket::message> heard = co_await socket.receive();
        if (!heard) break;
        if (heard->text) say(joined.name() + ": " + heard->data);
    }
    co_return unicoro::response();
}

unicoro::awaitable<unicoro::response> chat(unicoro::request& request) {
    if (request.path() == "/") co_return unicoro::response::html(std::string(page));
    if (request.path() == "/room") co_return co_await join(request);
    co_return unicoro::response::text("no such page\n", 404);
}

}  // namespace

unicoro::application app{.handle = chat};

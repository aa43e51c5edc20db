// SPDX-License-Identifier: MIT
// A native application: build/unicoro -k async ./build/examples/native/libhello.so:app
#include <unicoro/unicoro.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;

unicoro::awaitable<void> count_down(unicoro::response_writer& out) {
    for (int i = 3; i > 0; --i) {
        const std::string line = std::to_string(i) + "\n";
        co_await out.write(line);
        co_await unicoro::sleep_for(100ms);
    }
    co_await out.write("lift-off\n");
}

unicoro::awaitable<unicoro::response> talk(unicoro::request& request) {
    unicoro::websocket socket = co_await unicoro::websocket::accept(request);
    for (;;) {
        std::optional<unicoro::websocket::message> heard = co_await socket.receive();
        if (!heard) break;
        if (heard->text) {
            co_await socket.send_text("you said: " + heard->data);
        } else {
            co_await socket.send_binary(std::move(heard->data));
        }
    }
    co_return unicoro::response();
}

unicoro::awaitable<unicoro::response> hello(unicoro::request& request) {
    if (request.path() == "/") co_return unicoro::response::text("Hello, world!\n");
    if (request.path() == "/echo") {
        std::string body = co_await request.body().read_all();
        co_return unicoro::response::text(std::move(body));
    }
    if (request.path() == "/sleep") {
        co_await unicoro::sleep_for(200ms);
        co_return unicoro::response::text("slept 0.2 s without holding the worker\n");
    }
    if (request.path() == "/stream") {
        co_return unicoro::response::stream("text/plain; charset=utf-8", count_down);
    }
    if (request.path() == "/talk") co_return co_await talk(request);
    co_return unicoro::response::text("no such page\n", 404);
}

}  // namespace

unicoro::application app{.handle = hello};

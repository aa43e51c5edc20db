// SPDX-License-Identifier: MIT
// Greets whoever the query names, and counts with a task that runs beside the requests.
#include <unicoro/unicoro.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;

int seconds_up = 0;

unicoro::awaitable<void> count_seconds() {
    for (;;) {
        co_await unicoro::sleep_for(1s);
        ++seconds_up;
    }
}

unicoro::awaitable<void> start(unicoro::worker_handle& worker) {
    worker.spawn("count seconds", count_seconds());
    co_return;
}

unicoro::awaitable<unicoro::response> greet(unicoro::request& request) {
    if (request.path() != "/") co_return unicoro::response::text("no such page\n", 404);
    std::string answer = "Hello, " + request.query_parameter("name").value_or("world") + "!\n";
    answer += "up for " + std::to_string(seconds_up) + " s\n";
    co_return unicoro::response::text(std::move(answer));
}

}  // namespace

unicoro::application app{.handle = greet, .start = start};

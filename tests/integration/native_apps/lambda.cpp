// SPDX-License-Identifier: MIT
// An application whose coroutines are lambdas.
#include <unicoro/unicoro.hpp>

#include <string>
#include <utility>

unicoro::application app{
    .handle = [](unicoro::request& request) -> unicoro::awaitable<unicoro::response> {
        std::string body = co_await request.body().read_all();
        if (body.empty()) body = "from a lambda\n";
        co_return unicoro::response::text(std::move(body));
    },
    .start = [](unicoro::worker_handle&) -> unicoro::awaitable<void> { co_return; }
};

// SPDX-License-Identifier: MIT
// Compiled without what pkg-config gives: its Asio is another one than the server's.
#include <unicoro/unicoro.hpp>

namespace {

unicoro::awaitable<unicoro::response> hello(unicoro::request&) {
    co_return unicoro::response::text("hello\n");
}

}  // namespace

unicoro::application app{.handle = hello};

// Stays inside of the library.
const unicoro::application constant{.handle = hello};

// SPDX-License-Identifier: MIT
// What an exchange does when its request turns into a WebSocket.
#include "app/websocket.hpp"
#include "worker/http1_exchange.hpp"

#include <utility>

namespace unicoro::worker {

awaitable<result<app::websocket*>> http1_exchange::accept_websocket(std::string) {
    if (phase_ != phase::head) co_return error_code(errc::head_already_sent);
    fail(501, "This server accepts no WebSocket yet");
    co_return error_code(errc::websocket_closed);
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#include "app/websocket.hpp"

#include "app/exchange.hpp"
#include "http/refusal.hpp"
#include "http/websocket_handshake.hpp"
#include "log/log.hpp"

namespace unicoro::app {

bool admit_websocket(exchange& request) {
    http::refusal why;
    if (http::valid_websocket_handshake(request.head(), why)) return true;
    log::info("Invalid request from ip={}: {} ({})", request.client().address, why.detail, why.status);
    http::response_head& head = request.response();
    head.reset();
    [[maybe_unused]] error_code valid = head.set_status(why.status);
    if (why.status == 426) {
        valid = head.add("Upgrade", "websocket");
        valid = head.add("Sec-WebSocket-Version", "13");
    }
    valid = head.add("Content-Type", "text/html; charset=utf-8");
    // What follows is likely to be frames, not a request.
    valid = head.add("Connection", "close");
    request.respond(http::error_page(why.status, why.detail));
    return false;
}

}  // namespace unicoro::app

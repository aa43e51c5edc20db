// SPDX-License-Identifier: MIT
// What an exchange does when its request turns into a WebSocket.
#include "app/websocket.hpp"
#include "http/websocket_handshake.hpp"
#include "worker/http1_connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

#include <utility>
#include <vector>

namespace unicoro::worker {
namespace {

constexpr int switching_protocols = 101;

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string http1_exchange::upgrade_head(std::string_view extensions, std::string_view subprotocol) {
    std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    append_field(
        head,
        "Sec-WebSocket-Accept",
        http::websocket_accept(this->head().find("Sec-WebSocket-Key").value_or(""))
    );
    if (!extensions.empty()) append_field(head, "Sec-WebSocket-Extensions", extensions);
    if (!subprotocol.empty()) append_field(head, "Sec-WebSocket-Protocol", subprotocol);
    std::vector<http::field> fields;
    response().list_fields(fields);
    for (const http::field& f : fields) {
        if (!http::is_of_handshake(f.name)) append_field(head, f.name, f.value);
    }
    if (!shared_.settings.server_header.empty()) append_field(head, "Server", shared_.settings.server_header);
    append_field(head, "Date", shared_.date());
    head.append("\r\n");
    return head;
}

awaitable<result<std::shared_ptr<app::websocket>>> http1_exchange::accept_websocket(std::string subprotocol) {
    if (now_.stage != phase::head || now_.websocket) co_return error_code(errc::head_already_sent);
    if (!subprotocol.empty() && !http::offers_subprotocol(head(), subprotocol)) {
        co_return error_code(errc::invalid_subprotocol);
    }
    lift_deadline();
    std::string early(reader_.unread());
    reader_.give_away_unread();
    now_.websocket = std::make_shared<websocket_session>(shared_, *stream_, std::move(early), head().target);
    const std::string extensions = now_.websocket->negotiate(head());
    now_.stage = phase::upgraded;
    is_now(scoreboard::request_stage::websocket);
    shared_.count_websocket();
    // It may live for days: its place is for requests that end.
    leave();
    log_as(switching_protocols);
    answer_begins();
    std::string answer = upgrade_head(extensions, subprotocol);
    const std::array<iovec, 3> pieces{iovec{answer.data(), answer.size()}, iovec{}, iovec{}};
    const error_code ec = co_await write_pieces(pieces);
    if (ec) {
        now_.websocket->abandon();
        co_return ec;
    }
    connection_->carry(now_.websocket.get());
    now_.websocket->open();
    // Not refused before: a close with 1012 is what clients understand as a reason to connect again.
    if (shared_.draining) now_.websocket->drain();
    std::shared_ptr<app::websocket> accepted = now_.websocket;
    co_return accepted;
}

awaitable<void> http1_exchange::conclude_websocket() {
    co_await now_.websocket->conclude(now_.websocket_failed ? 1011 : 1000);
    if (!now_.websocket->ended_in_peace()) broken_ = true;
}

void http1_exchange::end_websocket() noexcept {
    shared_.websocket_gone();
    now_.websocket->abandon();
    count_sent(now_.websocket->bytes_sent());
    connection_->carry(nullptr);
}

}  // namespace unicoro::worker

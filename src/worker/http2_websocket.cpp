// SPDX-License-Identifier: MIT
// What a stream does when its request turns into a WebSocket (RFC 8441).
#include "app/websocket.hpp"
#include "http/websocket_handshake.hpp"
#include "worker/http2_connection.hpp"
#include "worker/http2_stream.hpp"
#include "worker/http2_tunnel.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

constexpr int accepted = 200;

}  // namespace

awaitable<result<std::shared_ptr<app::websocket>>> http2_stream::accept_websocket(std::string subprotocol) {
    if (stage_ != phase::head || !head().wants_websocket) co_return error_code(errc::head_already_sent);
    if (broken_) co_return error_code(errc::client_disconnected);
    if (!subprotocol.empty() && !http::offers_subprotocol(head(), subprotocol)) {
        co_return error_code(errc::invalid_subprotocol);
    }
    lift_deadline();
    tunnel_ = std::make_unique<http2_tunnel>(shared_.io, connection_, *this);
    websocket_ = std::make_shared<websocket_session>(shared_, *tunnel_, std::string(), head().target);
    const std::string extensions = websocket_->negotiate(head());
    stage_ = phase::upgraded;
    is_now(scoreboard::request_stage::websocket);
    shared_.count_websocket();
    // It may live for days: its place is for requests that end.
    leave();
    log_as(accepted);
    answer_begins();
    begin_websocket(extensions, subprotocol);
    websocket_->open();
    if (shared_.draining) websocket_->drain();
    std::shared_ptr<app::websocket> made = websocket_;
    co_return made;
}

void http2_stream::begin_websocket(std::string_view extensions, std::string_view subprotocol) {
    http::response_head answer;
    [[maybe_unused]] error_code valid;
    if (!extensions.empty()) valid = answer.add("Sec-WebSocket-Extensions", extensions);
    if (!subprotocol.empty()) valid = answer.add("Sec-WebSocket-Protocol", subprotocol);
    for (std::size_t i = 0; i < response().field_count(); ++i) {
        const http::field each = response().field_at(i);
        if (!http::is_of_handshake(each.name)) valid = answer.add(each.name, each.value);
    }
    const http2::response_fields fields{&answer, shared_.settings.server_header, shared_.date(), {}};
    connection_.session().begin_response(*this, fields, http2::session::body::follows);
    begun_ = true;
    connection_.kick();
}

// What a TCP connection has in FIN is END_STREAM here, and a reset is RST_STREAM with CANCEL (RFC 8441, 5).
awaitable<void> http2_stream::conclude_websocket() {
    co_await websocket_->conclude(websocket_failed_ ? 1011 : 1000);
    if (broken_) co_return;
    if (!websocket_->ended_in_peace() && !input_ended()) {
        [[maybe_unused]] const error_code gone = broken(errc::client_disconnected);
        co_return;
    }
    stage_ = phase::finished;
    connection_.session().end(*this);
    connection_.kick();
}

void http2_stream::end_websocket() noexcept {
    shared_.websocket_gone();
    websocket_->abandon();
}

}  // namespace unicoro::worker

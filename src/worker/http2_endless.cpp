// SPDX-License-Identifier: MIT
// How streams without an end of their own come to one when the worker drains: server-sent events, as in
// http1_event_stream.cpp, and WebSockets.
#include "worker/event_stream.hpp"
#include "worker/http2_connection.hpp"
#include "worker/http2_stream.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

namespace unicoro::worker {

void http2_stream::watch_event_stream() {
    if (plan_.framing != http::response_framing::chunked || !body_read()) return;
    const event_stream_kind kind = event_stream_of(response());
    if (!kind.events) return;
    event_stream_ = true;
    encoded_events_ = kind.encoded;
    no_end_in_sight();
    if (shared_.draining) end_events();
}

void http2_stream::drain() {
    if (!event_stream_ && !websocket_) return;
    if (shared_.settings.drain_spread.count() > 0) {
        shared_.deadlines.arm(drain_limit_, shared_.limits.next_farewell());
    } else {
        end_endless();
    }
}

void http2_stream::drain_expired(aio::deadline&, void* self) noexcept {
    static_cast<http2_stream*>(self)->end_endless();
}

void http2_stream::end_endless() {
    if (websocket_) {
        websocket_->drain();
    } else {
        end_events();
    }
}

void http2_stream::end_events() {
    app::running_request* const inside = running();
    const bool listens = inside != nullptr && inside->told_to_end();
    last_event_ = !listens && !encoded_events_;
}

bool http2_stream::end_event_stream() noexcept {
    if (!event_stream_ || !connection_.cancelled()) return false;
    if (stage_ != phase::streaming || broken_ || !output_taken()) return false;
    stage_ = phase::finished;
    ended_for_it_ = true;
    connection_.session().end(*this);
    connection_.kick();
    return true;
}

error_code http2_stream::takes_no_piece() const noexcept {
    return ended_for_it_ ? errc::client_disconnected : errc::head_already_sent;
}

}  // namespace unicoro::worker

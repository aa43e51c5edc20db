// SPDX-License-Identifier: MIT
// How a response of server-sent events, which has no end of its own, comes to one when the worker drains:
// the application is told; one that does not listen gets one more event through, and then finds its client
// gone, while the client sees a whole response, after which it comes back to another worker.
#include "worker/event_stream.hpp"
#include "worker/http1_connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <algorithm>
#include <string_view>

namespace unicoro::worker {
void http1_exchange::watch_event_stream() {
    const bool endless = writer_.plan().framing == http::response_framing::chunked ||
                         writer_.plan().framing == http::response_framing::until_close;
    // While a body comes, the connection's time limit is that of the body.
    if (!endless || !reader_.body_done()) return;
    const event_stream_kind kind = event_stream_of(response());
    if (!kind.events) return;
    now_.event_stream = true;
    now_.encoded_events = kind.encoded;
    no_end_in_sight();
    connection_->carry(this);
    if (shared_.draining) drain();
}

void http1_exchange::drain() {
    app::running_request* const inside = running();
    const bool listens = inside != nullptr && inside->told_to_end();
    now_.last_event = !listens && !now_.encoded_events;
}

void http1_exchange::end_behind(http::http1_writer::output& made, std::string_view piece) {
    if (!now_.event_stream) return;
    const bool ended = ends_event(now_.event_tail, piece);
    if (!now_.last_event || !ended) return;
    writer_.make_last(made);
    now_.stage = phase::finished;
    now_.ended_for_it = true;
}

bool http1_exchange::end_event_stream() {
    if (!now_.event_stream || !connection_->cancelled()) return false;
    if (now_.stage != phase::streaming || broken_ || has_unsent()) return false;
    const std::string_view mark = writer_.end();
    iovec last{const_cast<char*>(mark.data()), mark.size()};
    const std::optional<error_code> outcome = try_pieces(std::span<iovec>(&last, 1));
    if (!outcome || *outcome) return false;
    now_.stage = phase::finished;
    now_.ended_for_it = true;
    return true;
}

bool http1_exchange::has_unsent() const noexcept {
    return std::ranges::any_of(now_.unsent, [](const iovec& each) { return each.iov_len > 0; });
}

}  // namespace unicoro::worker

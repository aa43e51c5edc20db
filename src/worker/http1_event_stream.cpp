// SPDX-License-Identifier: MIT
// How a response of server-sent events, which has no end of its own, comes to one when the worker drains:
// the application is told; one that does not listen gets one more event through, and then finds its client
// gone, while the client sees a whole response, after which it comes back to another worker.
#include "http/chars.hpp"
#include "worker/http1_connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <algorithm>
#include <string_view>

namespace unicoro::worker {
namespace {

struct event_stream_kind {
    bool events = false;
    bool encoded = false;  // where an event ends cannot be seen, and a cut would spoil what is decoded
};

bool is_event_stream(std::string_view content_type) noexcept {
    constexpr std::string_view type = "text/event-stream";
    const std::string_view rest = content_type.substr(std::min(type.size(), content_type.size()));
    const bool whole = rest.empty() || rest.front() == ';' || rest.front() == ' ';
    return whole && http::iequals(content_type.substr(0, type.size()), type);
}

event_stream_kind kind_of(const http::response_head& head) noexcept {
    event_stream_kind kind;
    for (std::size_t at = 0; at < head.field_count(); ++at) {
        const http::field each = head.field_at(at);
        if (http::iequals(each.name, "Content-Type")) kind.events = is_event_stream(each.value);
        if (http::iequals(each.name, "Content-Encoding"))
            kind.encoded = !http::iequals(each.value, "identity");
    }
    return kind;
}

// The longest blank line behind a line, with any of the ends of lines that the format knows.
constexpr std::size_t tail_size = 4;

bool ends_event(std::string_view tail) noexcept {
    return tail.ends_with("\n\n") || tail.ends_with("\r\n\r\n") || tail.ends_with("\r\r");
}

}  // namespace

void http1_exchange::watch_event_stream() {
    const bool endless = writer_.plan().framing == http::response_framing::chunked ||
                         writer_.plan().framing == http::response_framing::until_close;
    // While a body comes, the connection's time limit is that of the body.
    if (!endless || !reader_.body_done()) return;
    const event_stream_kind kind = kind_of(response());
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
    std::string& tail = now_.event_tail;
    tail.append(piece.substr(piece.size() - std::min(piece.size(), tail_size)));
    tail.erase(0, tail.size() - std::min(tail.size(), tail_size));
    if (!now_.last_event || !ends_event(tail)) return;
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

// SPDX-License-Identifier: MIT
#include "worker/websocket_session.hpp"

#include "http/websocket_handshake.hpp"
#include "log/log.hpp"
#include "worker/serving.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

// What a queued message takes beside its bytes, so that empty ones are not queued without end.
std::size_t size_of(const app::websocket_message& message) noexcept {
    return message.data.size() + sizeof message + 2 * sizeof(void*);
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
    std::string frame;
    http::append_websocket_frame(frame, http::websocket_opcode::close, http::close_payload(code, reason));
    return frame;
}

}  // namespace

websocket_session::websocket_session(
    serving& shared, byte_flow& flow, std::string early, std::string_view target
)
    : shared_(shared),
      flow_(&flow),
      target_(target),
      arrived_(shared.io),
      left_(shared.io),
      unread_(std::move(early)),
      received_(unread_.size()),
      ping_limit_(&websocket_session::ping_expired, this),
      close_limit_(&websocket_session::close_expired, this),
      send_limit_(&websocket_session::send_expired, this) {}

std::string websocket_session::negotiate(const http::request_head& head) {
    std::string answer;
    std::optional<http::deflate_agreement> deflate;
    if (shared_.settings.ws_per_message_deflate) {
        deflate = http::accept_deflate(http::offered_extensions(head), answer);
        if (!deflate) answer.clear();
    }
    decoder_.emplace(shared_.settings.ws_max_size, deflate);
    encoder_.emplace(deflate);
    return answer;
}

void websocket_session::open() {
    shared_.deadlines.arm(ping_limit_, shared_.limits.ws_ping);
    read_on();
}

std::optional<app::websocket_message> websocket_session::try_receive() {
    std::optional<app::websocket_message> message;
    if (inbox_.empty()) return message;
    message.emplace(std::move(inbox_.front()));
    inbox_.pop_front();
    inbox_bytes_ -= message->data.size();
    if (!reading_ && !ended_) {
        // The pong may have waited behind what nobody received.
        if (awaiting_pong_ && !pinging_) shared_.deadlines.arm(ping_limit_, shared_.limits.ws_pong);
        read_on();
    }
    return message;
}

awaitable<std::optional<app::websocket_message>> websocket_session::receive() {
    while (inbox_.empty() && !ended_) co_await arrived_.wait();
    co_return try_receive();
}

error_code websocket_session::post(app::websocket_message message) {
    if (!is_open()) return errc::websocket_closed;
    outbox_bytes_ += size_of(message);
    outbox_.push_back(std::move(message));
    ++posted_;
    write_on();
    return {};
}

awaitable<error_code> websocket_session::send(app::websocket_message message) {
    const error_code ec = post(std::move(message));
    if (ec) co_return ec;
    const error_code flushed = co_await flush();
    co_return flushed;
}

awaitable<error_code> websocket_session::flush() {
    const std::uint64_t mine = posted_;
    while (written_ < mine) {
        if (ended_) co_return error_code(errc::websocket_closed);
        co_await left_.wait();
    }
    co_return error_code{};
}

void websocket_session::forget(outgoing::iterator first, outgoing::iterator last) noexcept {
    while (first != last) {
        outbox_bytes_ -= size_of(*first);
        first = outbox_.erase(first);
    }
}

// The first one may be in the middle of being written.
void websocket_session::forget_unwritten() noexcept {
    if (outbox_.empty()) return;
    const bool begun = encoder_->begun() || (!between_frames() && carried_ == cargo::message);
    forget(begun ? std::next(outbox_.begin()) : outbox_.begin(), outbox_.end());
}

// What was posted before the peer's close frame came goes out before ours: whoever was told that it is on
// its way shall be right.
void websocket_session::keep_last_words() noexcept {
    if (outbox_.empty()) return;
    auto last = std::next(outbox_.begin());
    std::size_t size = 0;
    while (last != outbox_.end() && (size += size_of(*last)) <= sent_at_once) ++last;
    forget(last, outbox_.end());
}

error_code websocket_session::close(std::uint16_t code, std::string_view reason) {
    if (!http::is_close_code(code)) return errc::invalid_close_code;
    begin_close(code, reason);
    return {};
}

void websocket_session::give_up(std::uint16_t code, std::string_view reason) {
    if (ended_) return;
    log::info("{}: the client takes too little; the WebSocket is closed", log::escaped(target_));
    forget_unwritten();
    shared_.deadlines.arm(close_limit_, shared_.limits.ws_close);
    begin_close(code, reason);
}

void websocket_session::begin_close(std::uint16_t code, std::string_view reason) {
    if (!is_open()) return;
    close_frame_ = close_frame(code, http::cut_close_reason(reason));
    write_on();
    // What waits for the host will not be received: its room is not waited for either.
    read_on();
}

void websocket_session::peer_closes() {
    constexpr std::uint16_t normal = 1000;
    constexpr std::uint16_t none = 1005;
    app::websocket_close how;
    how.code = decoder_->code();
    how.reason = decoder_->payload();
    if (close_sent_) return end(std::move(how));
    if (!close_begun_) {
        keep_last_words();
        close_frame_ = close_frame(how.code == none ? normal : how.code, "");
    }
    outcome_ = std::move(how);
    write_on();
}

void websocket_session::peer_fails(std::uint16_t code) {
    app::websocket_close how;
    how.code = code;
    if (close_sent_) return end(std::move(how));
    failed_ = true;
    outcome_ = std::move(how);
    forget_unwritten();
    if (!close_begun_) close_frame_ = close_frame(code, "");
    write_on();
}

void websocket_session::pong_came() {
    if (!awaiting_pong_ || ended_) return;
    awaiting_pong_ = false;
    if (!pinging_) shared_.deadlines.arm(ping_limit_, shared_.limits.ws_ping);
}

void websocket_session::ping_written() {
    pinging_ = false;
    if (shared_.settings.ws_ping_timeout.count() == 0) awaiting_pong_ = false;
    shared_.deadlines.arm(ping_limit_, awaiting_pong_ ? shared_.limits.ws_pong : shared_.limits.ws_ping);
}

void websocket_session::ping_expired(aio::deadline&, void* self) noexcept {
    static_cast<websocket_session*>(self)->ping_is_due();
}

void websocket_session::ping_is_due() {
    if (!is_open()) return;
    if (!reading_) {
        // The host does not receive: a pong would not be seen.
        shared_.deadlines.arm(ping_limit_, shared_.limits.ws_ping);
        return;
    }
    if (!awaiting_pong_) {
        awaiting_pong_ = pinging_ = true;
        received_at_ping_ = received_;
        http::append_websocket_frame(control_, http::websocket_opcode::ping, "");
        return write_on();
    }
    // In the middle of a long message no pong can come; its bytes are a sign of life too.
    if (received_ != received_at_ping_) {
        received_at_ping_ = received_;
        shared_.deadlines.arm(ping_limit_, shared_.limits.ws_pong);
        return;
    }
    log::info("ws_ping_timeout: {}: nothing answers, the WebSocket is cut", log::escaped(target_));
    if (between_frames()) {
        std::string frame = close_frame(1011, "keepalive ping timeout");
        const iovec piece{frame.data(), frame.size()};
        sent_ += flow_->try_write(std::span<const iovec>(&piece, 1)).bytes;
    }
    break_off();
}

void websocket_session::close_expired(aio::deadline&, void* self) noexcept {
    static_cast<websocket_session*>(self)->break_off();
}

void websocket_session::send_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<websocket_session*>(self);
    log::warning(
        "send_timeout: {}: the client took nothing; the WebSocket is cut", log::escaped(late.target_)
    );
    late.break_off();
}

void websocket_session::drain() {
    begin_close(1012, "service restart");
}

void websocket_session::break_off() {
    if (flow_ != nullptr) flow_->cancel();
    flow_ = nullptr;
    end(failed_ ? *outcome_ : app::websocket_close());
}

void websocket_session::end(app::websocket_close how) {
    if (ended_) return;
    ended_ = std::move(how);
    ping_limit_.disarm();
    close_limit_.disarm();
    send_limit_.disarm();
    body_ = {};
    out_ = control_ = close_frame_ = std::string();
    out_used_ = 0;
    forget(outbox_.begin(), outbox_.end());
    arrived_.ring();
    left_.ring();
}

awaitable<void> websocket_session::conclude(std::uint16_t code) {
    begin_close(code, "");
    while (!ended_) co_await left_.wait();
    // Nothing is left to be said: what still runs waits for the peer.
    break_off();
    while (reading_ || writing_) co_await left_.wait();
}

void websocket_session::abandon() noexcept {
    break_off();
    // Who keeps an ended one keeps little.
    decoder_.reset();
    encoder_.reset();
    unread_ = std::string();
}

bool websocket_session::ended_in_peace() const noexcept {
    return ended_ && ended_->code != 1006;
}

}  // namespace unicoro::worker

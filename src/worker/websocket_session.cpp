// SPDX-License-Identifier: MIT
#include "worker/websocket_session.hpp"

#include "http/websocket_frame.hpp"
#include "log/log.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_transport.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace unicoro::worker {
namespace {

// What may wait for the host before the client is stopped.
constexpr std::size_t inbox_limit = 64 * 1024;
constexpr std::size_t inbox_count = 32;

// What a connection that waits for a message holds for it, and how much is read at once of a long one:
// memory is taken as bytes arrive, not as a frame announces them.
constexpr std::size_t first_read = 1024;
constexpr std::size_t largest_read = 64 * 1024;
constexpr std::size_t least_read = 512;

// What a queued message takes beside its bytes, so that empty ones are not queued without end.
std::size_t size_of(const app::websocket_message& message) noexcept {
    return message.data.size() + sizeof message + 2 * sizeof(void*);
}

http::websocket_opcode opcode_of(const app::websocket_message& message) noexcept {
    return message.type == app::websocket_message::kind::text ? http::websocket_opcode::text
                                                              : http::websocket_opcode::binary;
}

}  // namespace

websocket_session::websocket_session(
    serving& shared, byte_stream& stream, std::string early, std::string_view target
)
    : shared_(shared),
      target_(target),
      transport_(std::make_shared<websocket_transport>(shared, stream, std::move(early))),
      arrived_(shared.io),
      left_(shared.io),
      ping_limit_(&websocket_session::ping_expired, this),
      close_limit_(&websocket_session::close_expired, this) {}

websocket_session::~websocket_session() = default;

awaitable<std::string> websocket_session::negotiate(const http::request_head& head) {
    websocket_options options;
    options.message_limit = shared_.settings.ws_max_size;
    options.compress = shared_.settings.ws_per_message_deflate;
    engine_.emplace(transport_, options, weak_from_this());
    transport_->discard_writes(true);
    accepting_ = true;
    std::string fields = engine_->accept(head, shared_from_this());
    while (accepting_) co_await left_.wait();
    transport_->discard_writes(false);
    co_return fields;
}

void websocket_session::on_accepted(error_code ec) {
    accepting_ = false;
    if (ec) end({});
    left_.ring();
}

void websocket_session::open() {
    shared_.deadlines.arm(ping_limit_, shared_.limits.ws_ping);
    read_on();
}

bool websocket_session::room() const noexcept {
    return inbox_bytes_ < inbox_limit && inbox_.size() < inbox_count;
}

void websocket_session::read_on() {
    if (reading_ || ended_ || closing_ || !room()) return;
    if (incoming_.size() - incoming_size_ < least_read) {
        const std::size_t more = std::clamp(incoming_size_, first_read, largest_read);
        incoming_.resize(incoming_size_ + more);
    }
    reading_ = true;
    engine_->read(
        asio::mutable_buffer(incoming_.data() + incoming_size_, incoming_.size() - incoming_size_),
        shared_from_this()
    );
}

void websocket_session::on_read(error_code ec, std::size_t bytes) {
    reading_ = false;
    incoming_size_ += bytes;
    if (!ec) {
        if (engine_->message_done()) deliver();
        read_on();
        // The operations that a close waits for may have been the last.
        if (ended_) left_.ring();
        return;
    }
    // The closing handshake took over the reading, and tells how it ended.
    const bool taken_over = closing_ && ec == asio::error::operation_aborted;
    if (!taken_over) {
        if (websocket_engine::silent_failure(ec)) fail_for_payload();
        end(engine_->meaning_of(ec));
    }
    left_.ring();
}

void websocket_session::deliver() {
    const std::size_t size = std::exchange(incoming_size_, 0);
    if (close_wanted_ || ended_) return;
    app::websocket_message message;
    if (!engine_->text()) message.type = app::websocket_message::kind::binary;
    if (message.type == app::websocket_message::kind::text &&
        !http::ends_whole(std::string_view(incoming_).substr(0, size))) {
        return fail_for_payload();
    }
    // A short message is copied, so that the buffer stays.
    if (size <= incoming_.size() / 4) {
        message.data.assign(incoming_, 0, size);
    } else {
        incoming_.resize(size);
        message.data = std::exchange(incoming_, std::string());
    }
    inbox_bytes_ += message.data.size();
    inbox_.push_back(std::move(message));
    arrived_.ring();
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

void websocket_session::write_on() {
    if (writing_ || closing_ || ended_) return;
    if (!outbox_.empty()) {
        writing_ = true;
        const app::websocket_message& next = outbox_.front();
        engine_->write(next.type, next.data, shared_from_this());
    } else if (close_wanted_) {
        closing_ = true;
        shared_.deadlines.arm(close_limit_, shared_.limits.ws_close);
        engine_->close(close_wanted_->code, close_wanted_->reason, shared_from_this());
    }
}

void websocket_session::on_written(error_code ec) {
    writing_ = false;
    if (ec) {
        // While the read side closes or fails the WebSocket it aborts this, and tells the outcome.
        const bool read_side_tells = reading_ && ec == asio::error::operation_aborted;
        if (!read_side_tells || transport_->broken_off()) break_off();
    } else {
        outbox_bytes_ -= size_of(outbox_.front());
        outbox_.pop_front();
        ++written_;
        if (peer_closes_) say_last_words();
        write_on();
    }
    if (ended_) forget_unwritten();
    left_.ring();
}

// What was posted before the peer's close frame came goes out before ours, which Beast is about to write
// and would let nothing follow: whoever was told that it is on its way shall be right.
void websocket_session::say_last_words() {
    std::string frames;
    std::size_t size = 0;
    while (!outbox_.empty()) {
        const app::websocket_message& next = outbox_.front();
        size += size_of(next);
        if (size > sent_at_once) break;
        http::append_websocket_frame(frames, opcode_of(next), next.data);
        outbox_bytes_ -= size_of(next);
        outbox_.pop_front();
        ++written_;
    }
    transport_->write_first(std::move(frames));
}

// The first one may be in the middle of being written.
void websocket_session::forget_unwritten() noexcept {
    const std::size_t kept = writing_ ? 1 : 0;
    while (outbox_.size() > kept) {
        outbox_bytes_ -= size_of(outbox_.back());
        outbox_.pop_back();
    }
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
    if (ended_ || close_wanted_) return;
    close_wanted_.emplace();
    close_wanted_->code = code;
    close_wanted_->reason = http::cut_close_reason(reason);
    write_on();
}

void websocket_session::on_closed(error_code ec) {
    closing_ = false;
    if (!ec) {
        end(engine_->peer_close());
    } else if (!reading_) {
        break_off();
    }
    left_.ring();
}

void websocket_session::on_pong() {
    if (!awaiting_pong_ || ended_) return;
    awaiting_pong_ = false;
    if (!pinging_) shared_.deadlines.arm(ping_limit_, shared_.limits.ws_ping);
}

void websocket_session::on_peer_closes() {
    peer_closes_ = true;
}

void websocket_session::on_pinged(error_code ec) {
    pinging_ = false;
    if (!ec && !ended_) {
        if (shared_.settings.ws_ping_timeout.count() == 0) awaiting_pong_ = false;
        shared_.deadlines.arm(ping_limit_, awaiting_pong_ ? shared_.limits.ws_pong : shared_.limits.ws_ping);
    }
    left_.ring();
}

void websocket_session::ping_expired(aio::deadline&, void* self) noexcept {
    static_cast<websocket_session*>(self)->ping_is_due();
}

void websocket_session::ping_is_due() {
    if (ended_ || close_wanted_) return;
    if (!reading_) {
        // The host does not receive: a pong would not be seen.
        shared_.deadlines.arm(ping_limit_, shared_.limits.ws_ping);
        return;
    }
    if (!awaiting_pong_) {
        awaiting_pong_ = pinging_ = true;
        received_at_ping_ = transport_->bytes_received();
        engine_->ping(shared_from_this());
        return;
    }
    // In the middle of a long message no pong can come; its bytes are a sign of life too.
    if (transport_->bytes_received() != received_at_ping_) {
        received_at_ping_ = transport_->bytes_received();
        shared_.deadlines.arm(ping_limit_, shared_.limits.ws_pong);
        return;
    }
    log::info("ws_ping_timeout: {}: nothing answers, the WebSocket is cut", log::escaped(target_));
    fail(1011, "keepalive ping timeout");
}

void websocket_session::close_expired(aio::deadline&, void* self) noexcept {
    static_cast<websocket_session*>(self)->break_off();
}

void websocket_session::drain() {
    begin_close(1012, "service restart");
}

void websocket_session::fail(std::uint16_t code, std::string_view reason) {
    if (!writing_ && !pinging_ && !closing_) {
        std::string frame;
        http::append_websocket_frame(frame, http::websocket_opcode::close, http::close_payload(code, reason));
        transport_->try_write_last(frame);
    }
    break_off();
}

void websocket_session::fail_for_payload() {
    constexpr std::uint16_t invalid_payload = 1007;
    failed_with_ = invalid_payload;
    fail(invalid_payload, "");
}

void websocket_session::break_off() {
    transport_->break_off();
    end({});
}

void websocket_session::end(app::websocket_close how) {
    if (ended_) return;
    if (transport_->stalled()) {
        log::warning(
            "send_timeout: {}: the client took nothing; the WebSocket is cut", log::escaped(target_)
        );
    }
    if (failed_with_ != 0) how = {failed_with_, ""};
    ended_ = std::move(how);
    ping_limit_.disarm();
    close_limit_.disarm();
    forget_unwritten();
    arrived_.ring();
    left_.ring();
}

awaitable<void> websocket_session::conclude(std::uint16_t code) {
    begin_close(code, "");
    while (!ended_) co_await left_.wait();
    // Nothing is left to be said: what still runs waits for the peer.
    transport_->break_off();
    while (busy()) co_await left_.wait();
}

void websocket_session::abandon() noexcept {
    transport_->break_off();
    end({});
    if (busy()) return;
    // Who keeps an ended one keeps little.
    engine_.reset();
    incoming_ = std::string();
}

bool websocket_session::ended_in_peace() const noexcept {
    return ended_ && ended_->code != 1006;
}

std::uint64_t websocket_session::bytes_sent() const noexcept {
    return transport_->bytes_sent();
}

}  // namespace unicoro::worker

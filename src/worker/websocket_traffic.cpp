// SPDX-License-Identifier: MIT
// The two coroutines of a WebSocket. Each runs while there is something for it to do.
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <tuple>
#include <utility>

namespace unicoro::worker {
namespace {

// What may wait for the host before the client is stopped.
constexpr std::size_t inbox_limit = 64 * 1024;
constexpr std::size_t inbox_count = 32;

// Pongs that wait for a client who does not read.
constexpr std::size_t control_limit = 1024;

// After this much the loop is let go round.
constexpr std::size_t write_at_once = 64 * 1024;

// Every WebSocket reads into this: what is not decoded at once is kept elsewhere, so that one that waits
// for a message holds nothing for it. Only the loop's thread reads.
std::array<char, std::size_t{64} * 1024> arriving;

http::websocket_opcode opcode_of(const app::websocket_message& message) noexcept {
    return message.type == app::websocket_message::kind::text ? http::websocket_opcode::text
                                                              : http::websocket_opcode::binary;
}

}  // namespace

bool websocket_session::reads() const noexcept {
    if (ended_ || outcome_ || control_.size() > control_limit) return false;
    return !is_open() || (inbox_bytes_ < inbox_limit && inbox_.size() < inbox_count);
}

void websocket_session::read_on() {
    if (reading_ || !reads()) return;
    reading_ = true;
    shared_.websockets.spawn("WebSocket", keep_reading(shared_from_this()));
}

awaitable<void> websocket_session::keep_reading(std::shared_ptr<websocket_session>) {
    std::exception_ptr failure;
    try {
        while (reads()) {
            const bool more = read_some();
            if (!reads()) break;
            if (more) {
                [[maybe_unused]] const std::tuple<> turn = co_await asio::post(shared_.io, as_tuple);
                continue;
            }
            const auto [ec] = co_await flow_->wait_readable();
            if (ec) break_off();
        }
    } catch (...) {
        failure = std::current_exception();
        break_off();
    }
    reading_ = false;
    left_.ring();
    if (failure) std::rethrow_exception(failure);
}

bool websocket_session::read_some() {
    if (!unread_.empty()) {
        std::span<char> input = std::span<char>(unread_).subspan(unread_used_);
        decode(input);
        unread_used_ = unread_.size() - input.size();
        if (input.empty()) unread_ = std::string();
        return true;
    }
    // What came behind the frame would have to be moved.
    const std::uint64_t missing = decoder_->missing();
    const std::size_t most =
        missing == 0 ? arriving.size() : std::min<std::uint64_t>(missing, arriving.size());
    const io_step step = flow_->try_read(std::span<char>(arriving).first(most));
    if (step.status == io_status::would_block) return false;
    if (step.status != io_status::done) {
        break_off();
        return false;
    }
    received_ += step.bytes;
    std::span<char> input = std::span<char>(arriving).first(step.bytes);
    decode(input);
    unread_.assign(input.begin(), input.end());
    unread_used_ = 0;
    return !unread_.empty() || step.bytes == most;
}

// Up to one message: the host may answer it before what came with it, a close perhaps, counts.
void websocket_session::decode(std::span<char>& input) {
    while (!input.empty() && reads()) {
        switch (decoder_->next(input)) {
            case http::websocket_event::none: break;
            case http::websocket_event::message: return deliver();
            case http::websocket_event::ping:
                if (close_begun_) break;
                http::append_websocket_frame(control_, http::websocket_opcode::pong, decoder_->payload());
                write_on();
                break;
            case http::websocket_event::pong: pong_came(); break;
            case http::websocket_event::close: return peer_closes();
            case http::websocket_event::failure: return peer_fails(decoder_->code());
        }
    }
}

void websocket_session::deliver() {
    app::websocket_message message;
    if (!decoder_->text()) message.type = app::websocket_message::kind::binary;
    message.data = decoder_->take_message();
    if (!is_open()) return;
    inbox_bytes_ += message.data.size();
    inbox_.push_back(std::move(message));
    arrived_.ring();
}

void websocket_session::write_on() {
    if (writing_ || ended_) return;
    writing_ = true;
    shared_.websockets.spawn("WebSocket", keep_writing(shared_from_this()));
}

// Begins to write at once; what is sent in the same turn of the loop waits for the next, so that who sends
// without end has to wait too.
awaitable<void> websocket_session::keep_writing(std::shared_ptr<websocket_session>) {
    std::exception_ptr failure;
    try {
        while (!ended_) {
            const progress made = write_some();
            left_.ring();
            if (made == progress::blocked) {
                if (!send_limit_.armed()) shared_.deadlines.arm(send_limit_, shared_.limits.send);
                const auto [ec] = co_await flow_->wait_writable();
                if (ec) break_off();
                continue;
            }
            if (ended_) break;
            [[maybe_unused]] const std::tuple<> turn = co_await asio::post(shared_.io, as_tuple);
            const bool nothing_more = made == progress::all && outbox_.empty() && control_.empty() &&
                                      (close_frame_.empty() || close_begun_);
            if (nothing_more) break;
        }
    } catch (...) {
        failure = std::current_exception();
        break_off();
    }
    writing_ = false;
    out_ = std::string();
    left_.ring();
    if (failure) std::rethrow_exception(failure);
}

websocket_session::progress websocket_session::write_some() {
    std::size_t budget = write_at_once;
    while (budget > 0) {
        if (between_frames() && !next_frame()) return progress::all;
        const std::size_t head_used = std::min(out_used_, out_.size());
        const std::size_t body_used = out_used_ - head_used;
        const std::array<iovec, 2> pieces{
            iovec{out_.data() + head_used, out_.size() - head_used},
            iovec{const_cast<char*>(body_.data()) + body_used, body_.size() - body_used}
        };
        const bool head_done = pieces[0].iov_len == 0;
        const bool one = head_done || pieces[1].iov_len == 0;
        const io_step step =
            flow_->try_write(std::span<const iovec>(pieces).subspan(head_done ? 1 : 0, one ? 1 : 2));
        if (step.status == io_status::would_block) return progress::blocked;
        if (step.status != io_status::done) {
            break_off();
            return progress::all;
        }
        send_limit_.disarm();
        sent_ += step.bytes;
        out_used_ += step.bytes;
        budget -= std::min(budget, step.bytes);
        if (between_frames()) frame_written();
        if (ended_) return progress::all;
    }
    return progress::some;
}

bool websocket_session::next_frame() {
    if (!control_.empty()) {
        out_.swap(control_);
        carried_ = cargo::control;
    } else if (!outbox_.empty() && !failed_) {
        const app::websocket_message& message = outbox_.front();
        const auto frame = encoder_->next(out_, opcode_of(message), message.data);
        body_ = frame.body;
        carried_ = frame.last ? cargo::message : cargo::part;
    } else if (!close_frame_.empty()) {
        out_ = std::exchange(close_frame_, std::string());
        carried_ = cargo::close;
        close_begun_ = true;
        if (!outcome_) shared_.deadlines.arm(close_limit_, shared_.limits.ws_close);
    } else {
        return false;
    }
    return true;
}

void websocket_session::frame_written() {
    out_.clear();
    body_ = {};
    out_used_ = 0;
    switch (carried_) {
        case cargo::control:
            if (pinging_ && control_.empty()) ping_written();
            // Too many pongs may have stopped it.
            read_on();
            break;
        case cargo::part: break;
        case cargo::message:
            ++written_;
            forget(outbox_.begin(), std::next(outbox_.begin()));
            break;
        case cargo::close:
            close_sent_ = true;
            if (outcome_) end(*outcome_);
            break;
    }
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
// The request half of an exchange; http1_response.cpp has the other.
#include "worker/http1_exchange.hpp"

#include "log/log.hpp"
#include "worker/handover.hpp"
#include "worker/http1_connection.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

// A body that the application left unread is read and thrown away up to this size to keep the
// connection; beyond, closing it is cheaper.
constexpr std::uint64_t skip_limit = std::uint64_t{256} * 1024;

}  // namespace

http1_exchange::http1_exchange(serving& shared)
    : request_run(shared),
      reader_(shared.settings.policy),
      send_deadline_(&http1_exchange::send_expired, this) {}

http1_exchange::~http1_exchange() = default;

void http1_exchange::attach(http1_connection& to) noexcept {
    connection_ = &to;
    stream_ = &to.stream();
    broken_ = false;
}

void http1_exchange::detach() noexcept {
    if (begun()) {
        // An exception ended the connection in the middle of a request.
        if (now_.stage != phase::finished) (void)broken(errc::cancelled);
        end_request();
    }
    reader_.clear();
    connection_ = nullptr;
    stream_ = nullptr;
}

app::connection_info& http1_exchange::connection() noexcept {
    return connection_->info();
}

http1_exchange::head_step http1_exchange::try_read_head() {
    if (reader_.head_wants_bytes()) {
        const io_step step = stream_->try_read(reader_.head_space());
        if (step.status == io_status::would_block) return head_step::need_more;
        if (step.status != io_status::done) return head_step::end;
        reader_.received(step.bytes);
        shared_.counts.add(scoreboard::counter::bytes_received, step.bytes);
    }
    switch (reader_.read_head(connection_->sender())) {
        case http::http1_reader::head_status::need_more: return head_step::need_more;
        case http::http1_reader::head_status::refused: return head_step::refused;
        case http::http1_reader::head_status::complete: break;
    }
    return head_step::complete;
}

void http1_exchange::end_request() {
    if (now_.websocket) end_websocket();
    if (now_.handover) end_handover();
    if (now_.event_stream) connection_->carry(nullptr);
    end();
    forget_request();
}

void http1_exchange::forget_request() noexcept {
    const of_request over = std::exchange(now_, of_request());
    writer_.reset();
    reader_.next();
}

std::chrono::nanoseconds http1_exchange::lay_unread() const noexcept {
    return stream_->since_received();
}

bool http1_exchange::from_trusted() const noexcept {
    return connection_->sender().trust == http::peer_trust::trusted;
}

bool http1_exchange::may_expire() noexcept {
    // The application may just have taken the connection.
    return !now_.handover || now_.handover->offer()->withdraw();
}

void http1_exchange::cancel_handling() noexcept {
    connection_->cancel_handling();
}

bool http1_exchange::connection_cancelled() const noexcept {
    return connection_->cancelled();
}

bool http1_exchange::reusable() const noexcept {
    return now_.stage == phase::finished && writer_.plan().keep_alive && reader_.body_done() && !broken_ &&
           !has_unsent();
}

// What arrives behind a close resets the connection, and takes from the client what it has not read.
bool http1_exchange::client_may_send() const noexcept {
    if (broken_) return false;
    // It would have kept the connection: its next request may be on its way (RFC 9112, 9.6).
    if (head().keep_alive || !reader_.body_done() || has_unread()) return true;
    // What it became is over, and the client may still be closing it.
    return now_.websocket != nullptr || now_.handover != nullptr || stream_->readable_now();
}

error_code http1_exchange::broken(errc why) noexcept {
    // Without a length a plain close would look like the end of the body.
    const bool ends_by_close = writer_.begun() && now_.stage != phase::finished &&
                               writer_.plan().framing == http::response_framing::until_close;
    if (ends_by_close) stream_->reset_on_close();
    broken_ = true;
    return why;
}

error_code http1_exchange::lost(const io_step& why) noexcept {
    log::debug(
        "{} {}: the client has gone: {}",
        log::escaped(head().method),
        log::escaped(head().target),
        why.status == io_status::failed ? why.why.message() : "end of file"
    );
    return broken(errc::client_disconnected);
}

error_code http1_exchange::body_failed(errc why) noexcept {
    now_.body_failed = true;
    return why;
}

// Not through write_pieces: the response may begin while this waits for room, and what was not said by
// then is not due any more.
awaitable<error_code> http1_exchange::send_continue() {
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    static const iovec piece{const_cast<char*>(interim.data()), interim.size()};
    while (reader_.continue_due() && !head_sent()) {
        const std::optional<error_code> hinted = try_interim();
        if (hinted && *hinted) co_return *hinted;
        if (!hinted) {
            const auto [ec] = co_await stream_->wait_writable();
            if (ec) co_return ec;
            continue;
        }
        const io_step step = stream_->try_write(std::span<const iovec>(&piece, 1));
        if (step.status == io_status::would_block) {
            const auto [ec] = co_await stream_->wait_writable();
            if (ec) co_return ec;
            continue;
        }
        reader_.continue_sent();
        // A socket with room takes these few bytes whole; a cut line cannot be mended.
        if (step.bytes != interim.size()) co_return lost(step);
    }
    co_return error_code{};
}

awaitable<error_code> http1_exchange::await_body_bytes() {
    connection_->arm(shared_.limits.body);
    error_code failed;
    // An interim response cannot go into a final one that has begun (RFC 9110, 15.2).
    if (reader_.continue_due() && !head_sent()) {
        const error_code unsaid = co_await send_continue();
        failed = unsaid;
    }
    if (!failed) {
        const auto [ec] = co_await stream_->wait_readable();
        failed = ec;
    }
    const bool late = connection_->expired();
    connection_->disarm();
    if (late) co_return body_failed(errc::deadline_passed);
    if (broken_) co_return error_code(errc::client_disconnected);
    if (failed) co_return error_code(errc::cancelled);
    co_return error_code{};
}

std::optional<result<std::size_t>> http1_exchange::try_read_body(std::span<char> into) {
    using status = http::http1_reader::body_status;
    for (;;) {
        if (reader_.body_done()) return std::size_t{0};
        if (broken_ || now_.body_failed) return error_code(errc::client_disconnected);
        const auto taken = reader_.read_body(into);
        switch (taken.status) {
            case status::data: return taken.bytes;
            case status::end: return std::size_t{0};
            case status::malformed: return body_failed(errc::malformed_body);
            case status::too_large: return body_failed(errc::body_too_large);
            case status::need_more: break;
        }
        const std::span<char> target = reader_.body_space(into);
        if (target.empty()) return body_failed(errc::malformed_body);
        const io_step step = stream_->try_read(target);
        if (step.status == io_status::would_block) return std::nullopt;
        if (step.status == io_status::end) return body_failed(errc::incomplete_body);
        if (step.status == io_status::failed) return lost(step);
        shared_.counts.add(scoreboard::counter::bytes_received, step.bytes);
        const std::size_t direct = reader_.received_body(step.bytes);
        if (direct > 0) return direct;
    }
}

awaitable<result<std::size_t>> http1_exchange::read_body(std::span<char> into) {
    for (;;) {
        const std::optional<result<std::size_t>> taken = try_read_body(into);
        if (taken) co_return *taken;
        const error_code ec = co_await await_body_bytes();
        if (ec) co_return ec;
    }
}

awaitable<void> http1_exchange::wait_disconnect() {
    while (!broken_) {
        // What comes is a pipelined request. Behind one that fills the buffer nothing can be seen.
        const std::span<char> room = reader_.space();
        io_step step{io_status::would_block};
        if (!room.empty()) step = stream_->try_read(room);
        if (step.status == io_status::done) {
            reader_.received(step.bytes);
            shared_.counts.add(scoreboard::counter::bytes_received, step.bytes);
        } else if (step.status != io_status::would_block) {
            [[maybe_unused]] const error_code gone = lost(step);
        } else {
            const auto [ec] = co_await wait_for_more(!room.empty());
            if (ec) co_return;
        }
    }
}

awaitable<std::tuple<error_code>> http1_exchange::wait_for_more(bool room) {
    if (room) return stream_->wait_readable();
    return shared_.never.async_wait(as_tuple);
}

bool http1_exchange::body_too_long_to_skip() const noexcept {
    if (reader_.body_done()) return false;
    // Who waits for 100-continue and gets a final answer may or may not send the body.
    return reader_.continue_due() || reader_.body_left() > skip_limit;
}

awaitable<error_code> http1_exchange::skip_body() {
    if (reader_.continue_due()) co_return error_code(errc::cancelled);
    std::array<char, 8192> unwanted;
    std::uint64_t skipped = 0;
    while (!reader_.body_done()) {
        const result<std::size_t> taken = co_await read_body(unwanted);
        if (!taken) co_return taken.error();
        skipped += *taken;
        if (skipped > skip_limit) co_return errc::body_too_large;
    }
    co_return error_code{};
}

}  // namespace unicoro::worker

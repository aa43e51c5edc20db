// SPDX-License-Identifier: MIT
#include "worker/http1_connection.hpp"

#include "http2/session.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/http2_connection.hpp"
#include "worker/sender.hpp"
#include "worker/serving.hpp"
#include "worker/upgrade.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <string>
#include <tuple>
#include <utility>

namespace unicoro::worker {
namespace {

constexpr unsigned pipelined_at_once = 32;

}  // namespace

http1_connection::http1_connection(
    serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info
)
    : client_connection(shared, std::move(stream), std::move(info)),
      limit_(&http1_connection::limit_expired, this) {}

void http1_connection::arm(aio::deadline_queue& limit) {
    expired_ = false;
    shared_.deadlines.arm(limit_, limit);
}

void http1_connection::limit_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http1_connection*>(self);
    if (late.upgrade_ != nullptr) return late.upgrade_->drain();
    late.expired_ = true;
    late.stream_->cancel();
}

void http1_connection::drain() noexcept {
    if (upgrade_ != nullptr && shared_.settings.drain_spread.count() > 0) {
        // No other limit runs while it is something else.
        arm(shared_.limits.next_farewell());
    } else if (upgrade_ != nullptr) {
        upgrade_->drain();
    }
    if (!idle_) return;
    if (used_) {
        arm(shared_.limits.farewell);
    } else if (waits_less()) {
        arm(shared_.limits.keepalive);
    }
}

// A client that has just connected is not cut off by a drain, for its first request may be on its way; but
// one that says nothing holds it up no longer than any idle one.
bool http1_connection::waits_less() const noexcept {
    const auto header = shared_.settings.header_timeout;
    const auto idle = shared_.settings.keepalive;
    return shared_.draining && idle.count() != 0 && (header.count() == 0 || idle < header);
}

void http1_connection::cancel() {
    cancelled_ = true;
    cancel_handling();
}

void http1_connection::cancel_handling() noexcept {
    task::cancel();
    // The idle wait has no cancellation slot. Another connection may have the stream by now.
    if (stream_) stream_->cancel();
}

// Not before: a handshake, or a proxy in front, may have come first and told who it is.
void http1_connection::meet_client() {
    stream_->describe(info_);
    sender_ = sender_of(info_, shared_.forwarders);
}

bool http1_connection::may_know_http2() const noexcept {
    return shared_.settings.http2.http2_cleartext != settings::http2_cleartext_mode::off &&
           sender_.trust == http::peer_trust::trusted && !info_.warm_up && shared_.clients != nullptr &&
           !(info_.stream && info_.stream->tls);
}

bool http1_connection::is_http2() const noexcept {
    const bool alone = !shared_.settings.http2.speaks("h1");
    if (!info_.stream || !info_.stream->tls) return alone && may_know_http2();
    return (alone || info_.stream->tls->protocol == "h2") && shared_.clients != nullptr;
}

void http1_connection::go_on_as_other(std::string_view begun) {
    stop_idling();
    limit_.disarm();
    go_on_as_http2(shared_, std::move(stream_), std::move(info_), begun);
}

bool http1_connection::ends_idle(const error_code& waited) noexcept {
    if (!waited || cancelled_) return false;
    // A request that came before the end is served all the same.
    const bool may_be_served = used_ || shared_.draining;
    return !expired_ || !may_be_served || !stream_->readable_now();
}

void http1_connection::await_next(aio::deadline_queue& limit) {
    arm(limit);
    stop_idling();
    shared_.idle.push_back(*this);
}

bool http1_connection::give_way() noexcept {
    stop_idling();
    if (stream_->readable_now()) return false;
    limit_.disarm();
    limit_expired(limit_, this);
    return true;
}

// The outermost frame is all that an idle connection keeps: what is big lives in serve_burst.
awaitable<void> http1_connection::serve() {
    arm(waits_less() ? shared_.limits.keepalive : shared_.limits.header);
    for (;;) {
        const auto [ec] = co_await stream_->wait_idle();
        if (ec == asio::error::try_again && !expired_ && !cancelled_) continue;
        if (ends_idle(ec)) break;
        if (!used_) {
            meet_client();
            if (is_http2()) {
                go_on_as_other({});
                co_return;
            }
        }
        const after_burst next = co_await serve_burst();
        if (next == after_burst::close) break;
        if (next == after_burst::gone) co_return;
        // Woken for nothing, its limit runs on, and so does the time that it has been idle for.
        if (next == after_burst::nothing && (!used_ || limit_.armed())) {
            // A handshake under way may be finished.
            if (expired_) arm(shared_.limits.header);
            continue;
        }
        if (cancelled_) break;
        if (shared_.draining) {
            await_next(shared_.limits.farewell);
            continue;
        }
        if (shared_.settings.keepalive.count() == 0) break;
        await_next(shared_.limits.keepalive);
    }
    stop_idling();
    limit_.disarm();
    stream_->close();
}

awaitable<http1_connection::after_burst> http1_connection::serve_burst() {
    exchange_pool::lease request = shared_.exchanges.take(*this);
    unsigned served = 0;
    for (;;) {
        http1_exchange::head_step step = request->try_read_head();
        if (step == http1_exchange::head_step::need_more && !request->has_unread()) {
            co_return served > 0 ? after_burst::wait : after_burst::nothing;
        }
        stop_idling();
        if (step == http1_exchange::head_step::need_more) {
            // A request that has begun to arrive is not cut off by a drain.
            idle_ = false;
            arm(shared_.limits.header);
            while (step == http1_exchange::head_step::need_more) {
                const auto [ec] = co_await stream_->wait_readable();
                if (ec) break;
                step = request->try_read_head();
            }
        }
        if (step != http1_exchange::head_step::complete) {
            if (step == http1_exchange::head_step::end) co_return after_burst::close;
            if (step == http1_exchange::head_step::refused && !used_ && may_know_http2() &&
                request->unread().starts_with(http2::preface_line)) {
                const std::string begun(request->unread());
                go_on_as_other(begun);
                co_return after_burst::gone;
            }
            if (step == http1_exchange::head_step::refused) {
                const http::refusal& why = request->refusal();
                request->refuse(why.status, why.detail);
            } else if (expired_) {
                request->refuse(408, "The request head did not arrive within header_timeout");
            } else {
                co_return after_burst::close;
            }
            co_await linger();
            co_return after_burst::close;
        }
        idle_ = false;
        used_ = true;
        disarm();
        request->begin_request();
        co_await request->run();
        disarm();
        const bool again = request->reusable();
        const bool gently = !again && request->client_may_send();
        request->end_request();
        idle_ = true;
        if (!again) {
            if (gently) co_await linger();
            co_return after_burst::close;
        }
        if (!request->has_unread()) co_return after_burst::wait;
        // A client that keeps its pipeline full must not keep the loop.
        if (++served % pipelined_at_once == 0) {
            [[maybe_unused]] const std::tuple<> turn = co_await asio::post(shared_.io, as_tuple);
        }
    }
}

// Closing with unread bytes in the socket makes the kernel send a reset, which may overtake the
// response (RFC 9112, 9.6): end our side first and read what the client still sends, for a while.
awaitable<void> http1_connection::linger() {
    idle_ = false;
    stream_->shutdown_write();
    arm(shared_.limits.linger);
    std::array<char, 4096> unwanted;
    std::size_t budget = std::size_t{1} << 20;
    for (;;) {
        const io_step step = stream_->try_read(unwanted);
        if (step.status == io_status::done) {
            if (step.bytes >= budget) break;
            budget -= step.bytes;
            continue;
        }
        if (step.status != io_status::would_block) break;
        const auto [ec] = co_await stream_->wait_readable();
        if (ec) break;
    }
    disarm();
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
// How a connection of HTTP/2 lives from its first byte, and comes to its end.
#include "aio/cancellation.hpp"
#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "worker/http2_connection.hpp"
#include "worker/http2_stream.hpp"
#include "worker/serving.hpp"

#include <boost/asio/this_coro.hpp>

#include <array>
#include <exception>
#include <string>

namespace unicoro::worker {

void http2_connection::await(wait what, aio::deadline_queue& limit) {
    waits_ = what;
    shared_.deadlines.arm(limit_, limit);
}

void http2_connection::limit_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http2_connection*>(self);
    switch (late.waits_) {
        case wait::next_request: late.begin_farewell(); return;
        case wait::first_request: late.session_.end(); break;
        case wait::linger: break;
    }
    late.stop();
}

void http2_connection::head_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http2_connection*>(self);
    log::info("{}: a request head did not arrive within header_timeout", late.name());
    late.session_.abort(http2::error::enhance_your_calm);
    late.stop();
}

void http2_connection::farewell_expired(aio::deadline&, void* self) noexcept {
    static_cast<http2_connection*>(self)->say_farewell();
}

// In two steps (RFC 9113, 6.8): what the client has sent before it heard of the first is served.
void http2_connection::begin_farewell() {
    if (farewell_ != farewell::none) return;
    farewell_ = farewell::announced;
    session_.announce_end();
    shared_.deadlines.arm(farewell_limit_, shared_.limits.farewell);
    kick();
}

void http2_connection::say_farewell() {
    farewell_ = farewell::said;
    farewell_limit_.disarm();
    session_.end();
    kick();
    if (idle()) stop();
}

void http2_connection::streams_ended() {
    all_ended_.set();
    if (over_ || lost_ || cancelled_ || !idle()) return;
    if (farewell_ == farewell::said) {
        stop();
    } else if (waits_ == wait::first_request && limit_.armed()) {
        // Nothing was asked for yet.
        return;
    } else if (shared_.settings.keepalive.count() == 0) {
        begin_farewell();
    } else if (!limit_.armed()) {
        await(wait::next_request, shared_.limits.keepalive);
        stop_idling();
        shared_.idle.push_back(*this);
        if (gone_ == out_.size()) out_ = std::string();
    }
}

void http2_connection::drain() noexcept {
    streams_.for_each([](aio::task& each) { static_cast<http2_stream&>(each).drain(); });
    if (session_.met()) {
        begin_farewell();
    } else if (waits_less()) {
        await(wait::first_request, shared_.limits.keepalive);
    }
}

// Its first request may be on its way; but one that says nothing holds a drain up no longer than any idle
// one.
bool http2_connection::waits_less() const noexcept {
    const auto header = shared_.settings.header_timeout;
    const auto idle = shared_.settings.keepalive;
    return shared_.draining && idle.count() != 0 && (header.count() == 0 || idle < header);
}

bool http2_connection::give_way() noexcept {
    stop_idling();
    if (stream_->readable_now()) return false;
    session_.end();
    stop();
    return true;
}

void http2_connection::cancel() {
    cancelled_ = true;
    task::cancel();
    streams_.cancel_all();
    // The idle wait has no cancellation slot.
    stop();
}

void http2_connection::stop() noexcept {
    stopped_ = true;
    if (!over_) stream_->cancel();
}

void http2_connection::lose() noexcept {
    lost_ = true;
    stop();
}

void http2_connection::leave_streams() noexcept {
    if (arriving_) session_.forget(*arriving_);
    arriving_.reset();
    for (const std::unique_ptr<http2_stream>& each : ready_) session_.forget(*each);
    ready_.clear();
    streams_.for_each([](aio::task& each) { static_cast<http2_stream&>(each).client_gone(); });
}

awaitable<void> http2_connection::await_streams() {
    while (!streams_.empty()) {
        [[maybe_unused]] const auto [ec] = co_await all_ended_.wait();
    }
}

awaitable<void> http2_connection::end_writing() {
    writing_ = false;
    to_write_.set();
    stream_->cancel();
    co_await writer_.close();
    if (!lost_ && !session_.over()) session_.abort(http2::error::none);
    bool flushed = flush();
    // A worker that must end waits for nobody.
    while (!flushed && !cancelled_) {
        shared_.deadlines.arm(send_limit_, shared_.limits.linger);
        [[maybe_unused]] const auto [ec] = co_await stream_->wait_writable();
        send_limit_.disarm();
        flushed = flush();
    }
}

// As of HTTP/1.1 (RFC 9112, 9.6): a reset must not overtake what was said last.
awaitable<void> http2_connection::linger() {
    if (lost_ || cancelled_) co_return;
    stream_->shutdown_write();
    stopped_ = false;
    await(wait::linger, shared_.limits.linger);
    std::array<char, 4096> unwanted;
    std::size_t budget = std::size_t{1} << 20;
    while (!stopped_) {
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
    limit_.disarm();
}

awaitable<void> http2_connection::serve() {
    // Whatever ends it, nothing that refers to it may be left.
    co_await asio::this_coro::throw_if_cancelled(false);
    writer_.spawn("writer of " + name(), write_loop());
    await(wait::first_request, waits_less() ? shared_.limits.keepalive : shared_.limits.header);
    std::exception_ptr failure;
    try {
        co_await read_loop();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !aio::is_cancellation(failure)) {
        log::error("{}: {}", name(), log::escaped(base::exception_text(failure)));
    }
    if (!session_.complaint().empty()) {
        log::info("HTTP/2: ip={}: the connection ends: {}", info_.remote_address, session_.complaint());
    }
    stopped_ = true;
    stop_idling();
    limit_.disarm();
    head_limit_.disarm();
    farewell_limit_.disarm();
    // Those that were cancelled have something to say.
    if (cancelled_) co_await await_streams();
    leave_streams();
    co_await end_writing();
    co_await linger();
    over_ = true;
    stream_->close();
    co_await await_streams();
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#include "worker/connection.hpp"

#include "aio/cancellation.hpp"
#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"
#include "worker/upgrade.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>
#include <exception>
#include <tuple>
#include <utility>

namespace unicoro::worker {
namespace {

constexpr unsigned pipelined_at_once = 32;

http::peer_trust trust_of(const app::connection_info& info, const base::trust_list& forwarders) {
    if (info.unix_socket || forwarders.everyone()) return http::peer_trust::trusted;
    const auto address = base::ip_address::parse(info.remote_address);
    const bool listed = address && forwarders.contains(*address);
    return listed ? http::peer_trust::trusted : http::peer_trust::untrusted;
}

void log_failure(const app::exchange& request, const std::exception_ptr& failure) {
    log::error(
        "{} {}: {}",
        log::escaped(request.head().method),
        log::escaped(request.head().target),
        log::escaped(base::exception_text(failure))
    );
}

}  // namespace

connection::connection(serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info)
    : shared_(shared),
      stream_(std::move(stream)),
      info_(std::move(info)),
      limit_(&connection::limit_expired, this),
      trust_(trust_of(info_, shared.forwarders)) {
    ++shared_.connections;
    shared_.slot.connections.store(
        static_cast<std::uint32_t>(shared_.connections), std::memory_order_relaxed
    );
}

connection::~connection() {
    --shared_.connections;
    shared_.slot.connections.store(
        static_cast<std::uint32_t>(shared_.connections), std::memory_order_relaxed
    );
    shared_.room.cancel();
}

std::string connection::name() const {
    return info_.unix_socket ? std::string("connection on " + info_.local_address)
                             : "connection from " + info_.remote_address;
}

void connection::arm(aio::deadline_queue& limit) {
    expired_ = false;
    shared_.deadlines.arm(limit_, limit);
}

void connection::limit_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<connection*>(self);
    late.expired_ = true;
    late.stream_->cancel();
}

void connection::drain() noexcept {
    if (upgrade_ != nullptr) upgrade_->drain();
    if (!idle_) return;
    if (used_) {
        say_farewell();
    } else if (shared_.settings.keepalive.count() != 0) {
        // Its first request may be on its way: a client that just connected is not cut off.
        arm(shared_.limits.keepalive);
    }
}

void connection::say_farewell() {
    looked_again_ = true;
    arm(shared_.limits.farewell);
}

void connection::cancel() {
    task::cancel();
    cancelled_ = true;
    // The idle wait has no cancellation slot.
    stream_->cancel();
}

// The outermost frame is all that an idle connection keeps: what is big lives in serve_burst.
awaitable<void> connection::serve() {
    arm(shared_.limits.header);
    for (;;) {
        const auto [ec] = co_await stream_->wait_idle();
        const bool look_again = expired_ && used_ && !looked_again_;
        if (look_again) {
            looked_again_ = true;
            arm(shared_.limits.keepalive);
            if (!stream_->readable_now()) {
                if (shared_.draining) say_farewell();
                continue;
            }
        } else if (ec && expired_ && !(shared_.draining && stream_->readable_now())) {
            break;
        } else if (ec && !expired_ && !cancelled_) {
            break;
        }
        // A request that came before the end is served all the same.
        const after_burst next = co_await serve_burst();
        if (next == after_burst::close) break;
        // Nothing came yet: the limit for a first request runs on.
        if (!used_) continue;
        if (cancelled_) break;
        if (shared_.draining) {
            say_farewell();
            continue;
        }
        if (shared_.settings.keepalive.count() == 0) break;
        looked_again_ = false;
        arm(shared_.limits.look_again);
    }
    limit_.disarm();
    stream_->close();
}

awaitable<connection::after_burst> connection::serve_burst() {
    exchange_pool::lease request = shared_.exchanges.take(*this);
    unsigned served = 0;
    for (;;) {
        http1_exchange::head_step step = request->try_read_head();
        if (step == http1_exchange::head_step::need_more) {
            if (!request->has_unread()) co_return after_burst::wait;
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
        request->begin_request();
        co_await run(*request);
        const bool again = request->reusable();
        // What arrives behind a close resets the connection, and takes from the client what it has not read.
        const bool gently = !again && !request->disconnected() &&
                            (request->kept_by_client() || request->body_unread() || request->has_unread() ||
                             request->upgraded() || stream_->readable_now());
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

awaitable<void> connection::run(http1_exchange& request) {
    disarm();
    std::exception_ptr failure;
    try {
        if (const auto where = shared_.locations.find(request.head())) {
            request.is_at(*where);
            co_await shared_.host->handle(request);
        } else {
            request.fail(404, "No application is mounted there");
        }
    } catch (...) {
        failure = std::current_exception();
    }
    request.settle_handover();
    // Nothing that was started for the request may see its end, least of all when that came early.
    if (!request.nursery().empty()) {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await request.nursery().close();
        co_await asio::this_coro::throw_if_cancelled(true);
    }
    if (request.out_of_time()) {
        // The cancellation was for the request only: the connection goes on to answer it.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        cancelled_ = false;
        request.fail(504, "The request took longer than request_timeout");
    } else if (failure && shared_.draining && aio::is_cancellation(failure)) {
        request.fail(503, "The server is shutting down");
    } else if (failure) {
        log_failure(request, failure);
        request.fail(500, "");
    }
    const bool concluded = request.try_conclude();
    if (!concluded) co_await request.conclude();
    disarm();
}

// Closing with unread bytes in the socket makes the kernel send a reset, which may overtake the
// response (RFC 9112, 9.6): end our side first and read what the client still sends, for a while.
awaitable<void> connection::linger() {
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

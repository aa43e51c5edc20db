// SPDX-License-Identifier: MIT
// The request half of a stream; http2_response.cpp has the other.
#include "worker/http2_stream.hpp"

#include "aio/cancellation.hpp"
#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "worker/http2_connection.hpp"
#include "worker/http2_tunnel.hpp"
#include "worker/serving.hpp"

#include <exception>

namespace unicoro::worker {

http2_stream::http2_stream(serving& shared, http2_connection& of, std::int32_t id)
    : request_run(shared),
      http2::stream(id, shared.settings.policy, shared.settings.http2.http2_max_header_list_size),
      connection_(of),
      input_news_(shared.io),
      output_news_(shared.io),
      gone_news_(shared.io),
      body_limit_(&http2_stream::body_expired, this),
      send_limit_(&http2_stream::send_expired, this),
      drain_limit_(&http2_stream::drain_expired, this) {}

http2_stream::~http2_stream() = default;

std::string http2_stream::name() const {
    return fmt::format("stream {} of {}", id(), connection_.name());
}

awaitable<void> http2_stream::serve() {
    std::exception_ptr failure;
    try {
        if (refused()) {
            refuse();
            co_await conclude();
        } else {
            continue_due_ = head().expects_continue;
            begin();
            co_await run();
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !aio::is_cancellation(failure)) {
        log::error("{}: {}", name(), log::escaped(base::exception_text(failure)));
    }
    if (websocket_) end_websocket();
    // A worker that ends has told it to wait no more.
    if (!closed() && !output_sent()) connection_.flush();
    // What is left of the request's body is not wanted (RFC 9113, 8.1).
    if (output_sent()) connection_.session().reset(*this, http2::error::none);
    connection_.session().forget(*this);
    connection_.kick();
    body_limit_.disarm();
    send_limit_.disarm();
    drain_limit_.disarm();
    if (refused()) {
        end_refused();
    } else if (begun()) {
        end();
    }
}

void http2_stream::client_gone() {
    connection_.session().forget(*this);
}

// Of whatever has changed; who waits looks for itself.
void http2_stream::notice() noexcept {
    if (closed() && !output_sent()) broken_ = true;
    input_news_.set();
    output_news_.set();
    if (broken_) gone_news_.set();
    if (tunnel_) tunnel_->notice();
}

// What comes behind a handshake belongs to the WebSocket.
bool http2_stream::body_read() const noexcept {
    return head().wants_websocket || (input_ended() && input_size() == 0);
}

app::connection_info& http2_stream::connection() noexcept {
    return connection_.info();
}

std::chrono::nanoseconds http2_stream::lay_unread() const noexcept {
    return connection_.stream().since_received();
}

bool http2_stream::from_trusted() const noexcept {
    return connection_.sender().trust == http::peer_trust::trusted;
}

bool http2_stream::connection_cancelled() const noexcept {
    return connection_.cancelled();
}

error_code http2_stream::body_failed(errc why) noexcept {
    body_failed_ = true;
    return why;
}

void http2_stream::body_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http2_stream*>(self);
    late.body_late_ = true;
    late.input_news_.set();
}

std::optional<result<std::size_t>> http2_stream::try_read_body(std::span<char> into) {
    if (broken_ || body_failed_) return error_code(errc::client_disconnected);
    const std::uint64_t limit = shared_.settings.policy.limit_request_body;
    if (limit != 0 && received() > limit) return body_failed(errc::body_too_large);
    if (input_size() > 0) {
        const std::size_t taken = connection_.session().take(*this, into);
        connection_.kick();
        return taken;
    }
    if (input_ended()) return std::size_t{0};
    return std::nullopt;
}

awaitable<error_code> http2_stream::await_body_bytes() {
    if (!body_limit_.armed() || body_seen_ != received()) {
        shared_.deadlines.arm(body_limit_, shared_.limits.body);
        body_seen_ = received();
    }
    // An interim response cannot go into a final one that has begun (RFC 9110, 15.2).
    if (continue_due_ && !head_sent() && received() == 0) {
        connection_.session().interim(*this, 100, nullptr);
        connection_.kick();
    }
    continue_due_ = false;
    const auto [ec] = co_await input_news_.wait();
    if (body_late_) co_return body_failed(errc::deadline_passed);
    if (ec) co_return error_code(errc::cancelled);
    co_return error_code{};
}

awaitable<result<std::size_t>> http2_stream::read_body(std::span<char> into) {
    for (;;) {
        const std::optional<result<std::size_t>> taken = try_read_body(into);
        if (taken) {
            body_limit_.disarm();
            co_return *taken;
        }
        const error_code ec = co_await await_body_bytes();
        if (ec) {
            body_limit_.disarm();
            co_return ec;
        }
    }
}

awaitable<void> http2_stream::wait_disconnect() {
    while (!broken_) {
        const auto [ec] = co_await gone_news_.wait();
        if (ec) co_return;
    }
}

}  // namespace unicoro::worker

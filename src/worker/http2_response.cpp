// SPDX-License-Identifier: MIT
// The response half of a stream.
#include "log/log.hpp"
#include "worker/event_stream.hpp"
#include "worker/http2_connection.hpp"
#include "worker/http2_stream.hpp"
#include "worker/serving.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace unicoro::worker {
namespace {

constexpr std::size_t file_piece = std::size_t{64} * 1024;

}  // namespace

/// A piece that the session may read as long as this lives. Where it has not read it to its end, the client
/// sees the response cut.
class http2_stream::lent_piece {
  public:
    explicit lent_piece(http2_stream& of) noexcept : of_(of) {}
    lent_piece(const lent_piece&) = delete;
    lent_piece& operator=(const lent_piece&) = delete;
    ~lent_piece() { of_.take_back(); }

  private:
    http2_stream& of_;
};

void http2_stream::take_back() noexcept {
    if (output_taken()) return;
    [[maybe_unused]] const error_code gone = broken(errc::cancelled);
}

void http2_stream::handled() noexcept {
    // Its own body is given later: this is a piece of the application's. What a WebSocket has to say it
    // keeps.
    if (stage_ != phase::upgraded) take_back();
}

void http2_stream::begin_response(std::optional<std::uint64_t> body_length) {
    // To the client that would be an open WebSocket (RFC 8441, 5).
    const bool misleads = head().wants_websocket && response().status() / 100 == 2;
    if (misleads) {
        [[maybe_unused]] const error_code known_status = response().set_status(501);
    }
    answer_begins();
    http::response_context context;
    context.request_version = http::version::http_2;
    context.head_request = head().method == "HEAD";
    context.body_length = body_length;
    plan_ = http::plan_response(response(), context);
    const bool follows = plan_.framing != http::response_framing::no_body && plan_.length != 0;
    const http2::response_fields fields{
        &response(), shared_.settings.server_header, shared_.date(), plan_.length
    };
    connection_.session().begin_response(
        *this, fields, follows ? http2::session::body::follows : http2::session::body::none
    );
    begun_ = true;
    stage_ = phase::streaming;
    if (!body_length) watch_event_stream();
}

void http2_stream::send_hints(const http::response_head& hints) {
    if (stage_ != phase::head || hints.field_count() == 0) return;
    connection_.session().interim(*this, 103, &hints);
    connection_.kick();
}

std::string_view http2_stream::admitted(std::string_view piece) {
    if (plan_.framing == http::response_framing::no_body) return {};
    std::string_view within = piece;
    if (plan_.length) {
        within = piece.substr(
            0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), *plan_.length - body_bytes_))
        );
    }
    if (within.size() < piece.size() && !overran_) {
        overran_ = true;
        log::error(
            "{} {}: the response body is longer than its Content-Length {}; the rest is not sent",
            log::escaped(head().method),
            log::escaped(head().target),
            *plan_.length
        );
    }
    body_bytes_ += within.size();
    return within;
}

bool http2_stream::give_piece(std::string_view piece) {
    if (stage_ == phase::head) begin_response(std::nullopt);
    const std::string_view within = admitted(piece);
    if (!within.empty()) connection_.session().give(*this, within);
    if (event_stream_ && ends_event(event_tail_, within) && last_event_) {
        connection_.session().end(*this);
        stage_ = phase::finished;
        ended_for_it_ = true;
    }
    connection_.kick();
    return !within.empty();
}

bool http2_stream::is_short() const noexcept {
    return plan_.framing == http::response_framing::length && body_bytes_ < *plan_.length;
}

error_code http2_stream::complain_of_short() {
    log::error(
        "{} {}: the response body has {} bytes, its Content-Length said {}; the stream is reset",
        log::escaped(head().method),
        log::escaped(head().target),
        body_bytes_,
        *plan_.length
    );
    return broken(errc::length_mismatch);
}

void http2_stream::send_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http2_stream*>(self);
    late.send_late_ = true;
    late.output_news_.set();
}

error_code http2_stream::sent_too_late() noexcept {
    log::warning(
        "send_timeout: {} {}: the client took nothing; the response is cut after {} bytes",
        log::escaped(head().method),
        log::escaped(head().target),
        body_sent()
    );
    return broken(errc::deadline_passed);
}

error_code http2_stream::broken(errc why) noexcept {
    const bool of_application = why == errc::length_mismatch || why == errc::cancelled;
    broken_ = true;
    connection_.session().reset(*this, of_application ? http2::error::internal_error : http2::error::cancel);
    connection_.kick();
    return why;
}

error_code http2_stream::lost() noexcept {
    log::debug(
        "{} {}: the client has gone (HTTP/2 error {})",
        log::escaped(head().method),
        log::escaped(head().target),
        error()
    );
    return errc::client_disconnected;
}

// Until the session has taken something, or the stream is over. `send_timeout` begins anew with each byte.
awaitable<error_code> http2_stream::await_progress() {
    if (!send_limit_.armed() || sent_seen_ != body_sent()) {
        shared_.deadlines.arm(send_limit_, shared_.limits.send);
        sent_seen_ = body_sent();
    }
    const auto [ec] = co_await output_news_.wait();
    if (broken_) co_return lost();
    if (send_late_) co_return sent_too_late();
    if (ec) co_return broken(errc::cancelled);
    co_return error_code{};
}

awaitable<error_code> http2_stream::await_taken() {
    error_code failed;
    if (broken_) failed = errc::client_disconnected;
    while (!failed && !output_taken()) {
        const error_code ec = co_await await_progress();
        failed = ec;
    }
    send_limit_.disarm();
    co_return failed;
}

void http2_stream::respond(std::string body) {
    if (stage_ == phase::upgraded) return;
    body_ = std::move(body);
    stage_ = phase::responded;
}

awaitable<error_code> http2_stream::send(std::string_view body) {
    if (stage_ != phase::head) co_return error_code(errc::head_already_sent);
    if (broken_) co_return error_code(errc::client_disconnected);
    const lent_piece lent(*this);
    begin_response(body.size());
    const bool given = give_piece(body);
    if (!is_short()) {
        connection_.session().end(*this);
        stage_ = phase::finished;
    }
    if (given) {
        const error_code ec = co_await await_taken();
        if (ec) co_return ec;
    }
    const error_code ended = co_await finish();
    co_return ended;
}

awaitable<error_code> http2_stream::write(std::string_view piece) {
    if (!takes_pieces()) co_return takes_no_piece();
    if (broken_) co_return error_code(errc::client_disconnected);
    if (piece.empty()) co_return error_code{};
    const lent_piece lent(*this);
    if (!give_piece(piece)) co_return error_code{};
    const error_code ec = co_await await_taken();
    co_return ec;
}

std::optional<error_code> http2_stream::try_write(std::string_view piece) {
    if (!takes_pieces()) return takes_no_piece();
    if (broken_) return error_code(errc::client_disconnected);
    if (piece.empty() || !give_piece(piece)) return error_code{};
    connection_.flush();
    if (broken_) return lost();
    if (output_taken()) return error_code{};
    return std::nullopt;
}

awaitable<error_code> http2_stream::write_rest() {
    const lent_piece lent(*this);
    const error_code ec = co_await await_taken();
    co_return ec;
}

error_code http2_stream::in_line(bool (*give_up)()) {
    using namespace std::chrono;
    // A signal that came just before the wait is noticed behind it.
    constexpr milliseconds at_once = 200ms;
    const milliseconds limit = shared_.settings.send_timeout;
    steady_clock::time_point begin = steady_clock::now();
    for (;;) {
        const std::uint64_t before = body_sent();
        const bool flushed = connection_.flush();
        if (broken_) return lost();
        if (flushed && output_taken()) return {};
        if (before != body_sent()) begin = steady_clock::now();
        if (limit.count() > 0 && steady_clock::now() - begin >= limit) return sent_too_late();
        connection_.move_on(limit.count() > 0 ? std::min(limit, at_once) : at_once);
        if (give_up()) return broken(errc::cancelled);
    }
}

error_code http2_stream::write_in_line(std::string_view piece, bool (*give_up)()) {
    if (!takes_pieces()) return takes_no_piece();
    if (broken_) return errc::client_disconnected;
    if (piece.empty()) return {};
    (void)give_piece(piece);
    return in_line(give_up);
}

awaitable<error_code> http2_stream::write_file(int fd, std::uint64_t offset, std::uint64_t count) {
    if (!takes_pieces()) co_return takes_no_piece();
    std::vector<char> read(static_cast<std::size_t>(std::min<std::uint64_t>(count, file_piece)));
    while (count > 0) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, read.size()));
        const ssize_t got = pread(fd, read.data(), wanted, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        // The file became shorter: what was announced cannot be sent any more.
        if (got <= 0) co_return broken(errc::length_mismatch);
        const auto size = static_cast<std::size_t>(got);
        const std::string_view piece(read.data(), size);
        const error_code ec = co_await write(piece);
        if (ec) co_return ec;
        offset += size;
        count -= size;
    }
    co_return error_code{};
}

awaitable<error_code> http2_stream::finish() {
    if (broken_) co_return error_code(errc::client_disconnected);
    if (!takes_pieces()) co_return error_code{};
    if (stage_ == phase::head) {
        respond({});
        co_return error_code{};
    }
    stage_ = phase::finished;
    if (is_short()) co_return complain_of_short();
    connection_.session().end(*this);
    connection_.kick();
    co_return error_code{};
}

void http2_stream::cut() noexcept {
    if (stage_ == phase::upgraded) {
        websocket_failed_ = true;
        return;
    }
    if (end_event_stream()) return;
    [[maybe_unused]] const error_code gone = broken(errc::cancelled);
}

void http2_stream::refuse() {
    const http::refusal& why = request().refused_because();
    respond(page_of_refusal(why.status, why.detail));
    [[maybe_unused]] const bool waits = !try_conclude();
}

bool http2_stream::try_conclude() {
    if (broken_) return true;
    switch (stage_) {
        case phase::upgraded: return false;
        case phase::streaming: fail(500, ""); return true;
        case phase::head:
            log::error(
                "{} {}: the application ended without a response",
                log::escaped(head().method),
                log::escaped(head().target)
            );
            fail(500, "");
            break;
        case phase::responded:
        case phase::finished: break;
    }
    if (stage_ == phase::finished) return output_sent();
    begin_response(body_.size());
    (void)give_piece(body_);
    stage_ = phase::finished;
    if (is_short()) {
        [[maybe_unused]] const error_code gone = complain_of_short();
        return true;
    }
    connection_.session().end(*this);
    return false;
}

awaitable<void> http2_stream::conclude() {
    if (stage_ == phase::upgraded) co_await conclude_websocket();
    co_await await_sent();
}

awaitable<void> http2_stream::await_sent() {
    error_code failed;
    while (!failed && !output_sent() && !broken_) {
        const error_code ec = co_await await_progress();
        failed = ec;
    }
    send_limit_.disarm();
}

}  // namespace unicoro::worker

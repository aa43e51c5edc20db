// SPDX-License-Identifier: MIT
// The response half of an exchange.
#include "log/access.hpp"
#include "log/log.hpp"
#include "worker/connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <algorithm>
#include <chrono>

namespace unicoro::worker {
namespace {

iovec piece_of(std::string_view bytes) noexcept {
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

// Drops what was written from the front of the pieces; true when nothing is left.
bool drop_written(std::span<iovec> pieces, std::size_t written) noexcept {
    for (iovec& piece : pieces) {
        const std::size_t step = std::min(written, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + step;
        piece.iov_len -= step;
        written -= step;
    }
    return std::all_of(pieces.begin(), pieces.end(), [](const iovec& p) { return p.iov_len == 0; });
}

}  // namespace

void http1_exchange::make_head(std::optional<std::uint64_t> body_length) {
    const http::request_head& head = parser_.head();
    http::response_context context;
    context.request_version = head.version;
    context.head_request = head.method == "HEAD";
    // What a request that ran out of time left unread may never come.
    const bool body_stalls = now_.out_of_time && !now_.body_done;
    context.keep_alive = head.keep_alive && !shared_.draining && !now_.body_failed && !body_stalls &&
                         !body_too_long_to_skip() && shared_.settings.keepalive.count() != 0;
    context.body_length = body_length;
    context.date = shared_.date();
    context.server = shared_.settings.server_header;
    now_.plan = response_.serialize(context, out_);
    now_.head_sent = true;
}

void http1_exchange::send_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http1_exchange*>(self);
    late.now_.send_late = true;
    late.stream_->cancel();
}

void http1_exchange::respond(std::string body) {
    if (now_.stage == phase::upgraded) return;
    body_ = std::move(body);
    now_.stage = phase::responded;
}

std::string_view http1_exchange::admit(std::string_view piece) {
    if (now_.plan.framing == http::response_framing::no_body) return {};
    if (!now_.plan.length) return piece;
    const std::uint64_t left = *now_.plan.length - now_.body_sent;
    if (piece.size() > left && !now_.overrun_logged) {
        now_.overrun_logged = true;
        log::error(
            "{} {}: the response body is longer than its Content-Length {}; the rest is not sent",
            log::escaped(parser_.head().method),
            log::escaped(parser_.head().target),
            *now_.plan.length
        );
    }
    return piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left)));
}

awaitable<error_code> http1_exchange::wait_writable() {
    now_.send_late = false;
    shared_.deadlines.arm(send_deadline_, shared_.limits.send);
    const auto [ec] = co_await stream_->wait_writable();
    send_deadline_.disarm();
    if (now_.send_late) co_return sent_too_late();
    if (ec) co_return broken(errc::cancelled);
    co_return error_code{};
}

error_code http1_exchange::block_writable(bool (*give_up)()) {
    using namespace std::chrono;
    // A signal that came just before the wait is noticed behind it.
    constexpr milliseconds at_once = 200ms;
    const milliseconds limit = shared_.settings.send_timeout;
    const steady_clock::time_point begin = steady_clock::now();
    for (;;) {
        const auto left = ceil<milliseconds>(begin + limit - steady_clock::now());
        const bool limited = limit.count() > 0;
        if (limited && left <= 0ms) return sent_too_late();
        if (stream_->block_writable(limited ? std::min(left, at_once) : at_once)) return {};
        if (give_up()) return broken(errc::cancelled);
    }
}

error_code http1_exchange::sent_too_late() noexcept {
    log::warning(
        "send_timeout: {} {}: the client took nothing; the response is cut after {} bytes",
        log::escaped(parser_.head().method),
        log::escaped(parser_.head().target),
        now_.body_sent
    );
    return broken(errc::deadline_passed);
}

std::optional<error_code> http1_exchange::try_pieces(std::span<iovec> left) {
    for (;;) {
        if (broken_) return error_code(errc::client_disconnected);
        // A write of nothing would answer 0, which reads as an end.
        if (drop_written(left, 0)) return error_code{};
        const io_step step = stream_->try_write(left);
        if (step.status == io_status::would_block) return std::nullopt;
        if (step.status != io_status::done) return broken(errc::client_disconnected);
        if (drop_written(left, step.bytes)) return error_code{};
    }
}

awaitable<error_code> http1_exchange::write_pieces(std::array<iovec, 3> pieces, std::size_t count) {
    const std::span<iovec> left(pieces.data(), count);
    for (;;) {
        const std::optional<error_code> outcome = try_pieces(left);
        if (outcome) co_return *outcome;
        const error_code ec = co_await wait_writable();
        if (ec) co_return ec;
    }
}

awaitable<error_code> http1_exchange::send(std::string_view body) {
    if (now_.stage != phase::head) co_return error_code(errc::head_already_sent);
    make_head(body.size());
    now_.stage = phase::streaming;
    const std::string_view admitted = admit(body);
    const std::array<iovec, 3> pieces{piece_of(out_), piece_of(admitted), iovec{}};
    const error_code ec = co_await write_pieces(pieces, admitted.empty() ? 1 : 2);
    if (ec) co_return ec;
    now_.body_sent += admitted.size();
    const error_code ended = co_await finish();
    co_return ended;
}

bool http1_exchange::takes_pieces() const noexcept {
    return now_.stage == phase::head || now_.stage == phase::streaming;
}

http1_exchange::framed_piece http1_exchange::frame(std::string_view piece) {
    out_.clear();
    if (now_.stage == phase::head) {
        make_head(std::nullopt);
        now_.stage = phase::streaming;
    }
    const std::string_view admitted = admit(piece);
    const bool chunked = now_.plan.framing == http::response_framing::chunked;
    if (chunked) http::append_chunk_header(out_, admitted.size());
    framed_piece made;
    made.admitted = admitted.size();
    made.pieces[0] = piece_of(out_);
    if (!admitted.empty()) made.pieces[made.count++] = piece_of(admitted);
    if (chunked) made.pieces[made.count++] = piece_of("\r\n");
    return made;
}

awaitable<error_code> http1_exchange::write(std::string_view piece) {
    if (!takes_pieces()) co_return error_code(errc::head_already_sent);
    if (piece.empty()) co_return error_code{};
    const framed_piece made = frame(piece);
    const error_code ec = co_await write_pieces(made.pieces, made.count);
    if (!ec) now_.body_sent += made.admitted;
    co_return ec;
}

error_code http1_exchange::write_in_line(std::string_view piece, bool (*give_up)()) {
    if (!takes_pieces()) return errc::head_already_sent;
    if (piece.empty()) return {};
    framed_piece made = frame(piece);
    const std::span<iovec> left(made.pieces.data(), made.count);
    for (;;) {
        const std::optional<error_code> outcome = try_pieces(left);
        if (outcome && !*outcome) now_.body_sent += made.admitted;
        if (outcome) return *outcome;
        const error_code ec = block_writable(give_up);
        if (ec) return ec;
    }
}

awaitable<error_code> http1_exchange::write_file(int fd, std::uint64_t offset, std::uint64_t count) {
    if (!takes_pieces()) co_return error_code(errc::head_already_sent);
    if (broken_) co_return error_code(errc::client_disconnected);
    if (count == 0) co_return error_code{};
    out_.clear();
    if (now_.stage == phase::head) {
        make_head(std::nullopt);
        now_.stage = phase::streaming;
    }
    std::uint64_t left = count;
    if (now_.plan.length) left = std::min(left, *now_.plan.length - now_.body_sent);
    if (now_.plan.framing == http::response_framing::no_body) left = 0;
    const bool chunked = now_.plan.framing == http::response_framing::chunked;
    if (chunked) http::append_chunk_header(out_, left);
    std::array<iovec, 3> pieces{piece_of(out_), iovec{}, iovec{}};
    if (!out_.empty()) {
        const error_code ec = co_await write_pieces(pieces, 1);
        if (ec) co_return ec;
    }
    while (left > 0) {
        const io_step step = stream_->try_send_file(fd, offset, static_cast<std::size_t>(left));
        if (step.status == io_status::done) {
            left -= step.bytes;
            now_.body_sent += step.bytes;
        } else if (step.status == io_status::end) {
            // The file became shorter: what was announced cannot be sent any more.
            co_return broken(errc::length_mismatch);
        } else if (step.status == io_status::failed) {
            co_return broken(errc::client_disconnected);
        }
        if (left == 0) break;
        // Also after progress: waiting yields, so that one fast client does not hold the loop.
        const error_code ec = co_await wait_writable();
        if (ec) co_return ec;
    }
    if (!chunked) co_return error_code{};
    pieces[0] = piece_of("\r\n");
    const error_code ec = co_await write_pieces(pieces, 1);
    co_return ec;
}

awaitable<error_code> http1_exchange::finish() {
    if (broken_) co_return error_code(errc::client_disconnected);
    if (!takes_pieces()) co_return error_code{};
    if (now_.stage == phase::head) {
        respond({});
        co_return error_code{};
    }
    now_.stage = phase::finished;
    if (now_.plan.length && now_.body_sent < *now_.plan.length && parser_.head().method != "HEAD" &&
        now_.plan.framing == http::response_framing::length) {
        log::error(
            "{} {}: the response body has {} bytes, its Content-Length said {}; closing",
            log::escaped(parser_.head().method),
            log::escaped(parser_.head().target),
            now_.body_sent,
            *now_.plan.length
        );
        co_return broken(errc::length_mismatch);
    }
    if (now_.plan.framing != http::response_framing::chunked) co_return error_code{};
    const std::array<iovec, 3> pieces{piece_of("0\r\n\r\n"), iovec{}, iovec{}};
    const error_code ec = co_await write_pieces(pieces, 1);
    co_return ec;
}

void http1_exchange::fail(int status, std::string_view detail) {
    if (broken_ || now_.stage == phase::finished) return;
    if (now_.stage == phase::upgraded) {
        now_.websocket_failed = true;
        return;
    }
    if (now_.head_sent) {
        [[maybe_unused]] const error_code cut = broken(errc::cancelled);
        return;
    }
    response_.reset();
    [[maybe_unused]] const error_code known_status = response_.set_status(status);
    [[maybe_unused]] const error_code valid = response_.add("Content-Type", "text/html; charset=utf-8");
    respond(http::error_page(status, detail));
}

void http1_exchange::refuse(int status, std::string_view detail) {
    log::info("Invalid request from ip={}: {} ({})", connection_->info().remote_address, detail, status);
    response_.reset();
    [[maybe_unused]] const error_code known_status = response_.set_status(status);
    [[maybe_unused]] const error_code valid = response_.add("Content-Type", "text/html; charset=utf-8");
    body_ = http::error_page(status, detail);
    http::response_context context;
    context.keep_alive = false;
    context.body_length = body_.size();
    context.date = shared_.date();
    context.server = shared_.settings.server_header;
    out_.clear();
    now_.plan = response_.serialize(context, out_);
    const std::array<iovec, 2> pieces{piece_of(out_), piece_of(body_)};
    // A page of some hundred bytes fits the empty send buffer of any client that reads.
    stream_->try_write(pieces);
    now_.body_sent = body_.size();
    now_.started = scoreboard::monotonic_now();
    if (log::access_enabled()) write_access_line();
    forget_request();
}

// Copying a small body behind its head is cheaper than a second element in the system call.
io_step http1_exchange::try_write_whole(std::string_view body) {
    constexpr std::size_t small = 2048;
    const std::size_t head_size = out_.size();
    std::array<iovec, 2> pieces{};
    std::size_t count = 1;
    if (body.size() <= small) {
        out_.append(body);
        pieces[0] = piece_of(out_);
    } else {
        pieces = {piece_of(out_), piece_of(body)};
        count = 2;
    }
    const io_step step = stream_->try_write(std::span<const iovec>(pieces.data(), count));
    out_.resize(head_size);
    return step;
}

bool http1_exchange::try_conclude() {
    if (broken_) return true;
    if (now_.stage == phase::upgraded) return false;
    if (now_.stage == phase::head) {
        log::error(
            "{} {}: the application ended without a response",
            log::escaped(parser_.head().method),
            log::escaped(parser_.head().target)
        );
        fail(500, "");
    } else if (now_.stage == phase::streaming) {
        fail(500, "");
        return true;
    }
    if (now_.stage == phase::responded) {
        out_.clear();
        make_head(body_.size());
        const std::size_t head_size = out_.size();
        const std::string_view admitted = admit(body_);
        const io_step step = try_write_whole(admitted);
        now_.stage = phase::streaming;
        if (step.status == io_status::done) {
            now_.out_sent = step.bytes;
        } else if (step.status != io_status::would_block) {
            broken_ = true;
            return true;
        }
        const bool all_sent = now_.out_sent == head_size + admitted.size();
        const bool all_said =
            now_.plan.framing != http::response_framing::length || admitted.size() == *now_.plan.length;
        if (!all_sent || !all_said) return false;
        now_.body_sent = admitted.size();
        now_.stage = phase::finished;
    }
    return now_.body_done || !now_.plan.keep_alive;
}

awaitable<void> http1_exchange::conclude() {
    if (now_.stage == phase::upgraded && now_.handover) {
        co_await conclude_handover();
        co_return;
    }
    if (now_.stage == phase::upgraded) {
        co_await conclude_websocket();
        co_return;
    }
    if (now_.stage == phase::streaming) {
        const std::string_view admitted = admit(body_);
        std::array<iovec, 3> pieces{piece_of(out_), piece_of(admitted), iovec{}};
        const bool all_sent = drop_written(pieces, now_.out_sent);
        if (!all_sent) {
            const error_code ec = co_await write_pieces(pieces, 2);
            if (ec) co_return;
        }
        now_.body_sent = admitted.size();
        const error_code ended = co_await finish();
        if (ended) co_return;
    }
    if (!now_.body_done && now_.plan.keep_alive && !broken_) {
        const error_code skipped = co_await skip_body();
        if (skipped) now_.plan.keep_alive = false;
    }
}

std::span<const std::string> http1_exchange::logged_environ() const noexcept {
    return log::access_environ_names();
}

void http1_exchange::log_environ(std::string name, std::string value) {
    now_.environ.emplace_back(std::move(name), std::move(value));
}

}  // namespace unicoro::worker

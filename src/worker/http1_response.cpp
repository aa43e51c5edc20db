// SPDX-License-Identifier: MIT
// The response half of an exchange.
#include "log/log.hpp"
#include "worker/http1_connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <algorithm>
#include <chrono>

namespace unicoro::worker {
namespace {

using pieces = std::array<iovec, 3>;

iovec piece_of(std::string_view bytes) noexcept {
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

pieces pieces_of(const http::http1_writer::output& made) noexcept {
    return {piece_of(made.parts[0]), piece_of(made.parts[1]), piece_of(made.parts[2])};
}

// Drops what was written from the front of the pieces; true when nothing is left.
bool drop_written(std::span<iovec> left, std::size_t written) noexcept {
    for (iovec& piece : left) {
        const std::size_t step = std::min(written, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + step;
        piece.iov_len -= step;
        written -= step;
    }
    return std::all_of(left.begin(), left.end(), [](const iovec& p) { return p.iov_len == 0; });
}

// The system call is cheaper without elements that are empty.
std::span<const iovec> filled(std::span<const iovec> all) noexcept {
    while (!all.empty() && all.back().iov_len == 0) all = all.first(all.size() - 1);
    while (!all.empty() && all.front().iov_len == 0) all = all.subspan(1);
    return all;
}

}  // namespace

void http1_exchange::begin_response(std::optional<std::uint64_t> body_length) {
    answer_begins();
    const http::request_head& asked = head();
    http::response_context context;
    context.request_version = asked.version;
    context.head_request = asked.method == "HEAD";
    // What a request that ran out of time left unread may never come.
    const bool body_stalls = out_of_time() && !reader_.body_done();
    context.keep_alive = asked.keep_alive && !shared_.draining && !now_.body_failed && !body_stalls &&
                         !body_too_long_to_skip() && shared_.settings.keepalive.count() != 0;
    context.body_length = body_length;
    context.date = shared_.date();
    context.server = shared_.settings.server_header;
    writer_.begin(response(), context);
    now_.stage = phase::streaming;
    if (!body_length) watch_event_stream();
}

void http1_exchange::send_hints(const http::response_head& hints) {
    if (now_.stage != phase::head || head().version == http::version::http_1_0) return;
    writer_.add_hints(hints);
    [[maybe_unused]] const std::optional<error_code> left = try_interim();
}

std::optional<error_code> http1_exchange::try_interim() {
    while (!writer_.interim().empty()) {
        const iovec piece = piece_of(writer_.interim());
        const io_step step = stream_->try_write(std::span<const iovec>(&piece, 1));
        if (step.status == io_status::would_block) return std::nullopt;
        if (step.status != io_status::done) return lost(step);
        writer_.interim_sent(step.bytes);
    }
    return error_code{};
}

void http1_exchange::send_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http1_exchange*>(self);
    late.now_.send_late = true;
    late.stream_->cancel();
}

void http1_exchange::respond(std::string body) {
    if (now_.stage == phase::upgraded) return;
    now_.body = std::move(body);
    now_.stage = phase::responded;
}

void http1_exchange::note_overrun(const http::http1_writer::output& made) const {
    if (!made.overrun) return;
    log::error(
        "{} {}: the response body is longer than its Content-Length {}; the rest is not sent",
        log::escaped(head().method),
        log::escaped(head().target),
        *writer_.plan().length
    );
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
        log::escaped(head().method),
        log::escaped(head().target),
        body_sent()
    );
    return broken(errc::deadline_passed);
}

std::optional<error_code> http1_exchange::try_pieces(std::span<iovec> left) {
    for (;;) {
        if (broken_) return error_code(errc::client_disconnected);
        // A write of nothing would answer 0, which reads as an end.
        if (drop_written(left, 0)) return error_code{};
        const io_step step = stream_->try_write(filled(left));
        if (step.status == io_status::would_block) return std::nullopt;
        if (step.status != io_status::done) return lost(step);
        if (drop_written(left, step.bytes)) return error_code{};
    }
}

awaitable<error_code> http1_exchange::write_pieces(pieces left) {
    for (;;) {
        const std::optional<error_code> outcome = try_pieces(left);
        if (outcome) co_return *outcome;
        const error_code ec = co_await wait_writable();
        if (ec) co_return ec;
    }
}

awaitable<error_code> http1_exchange::send(std::string_view body) {
    if (now_.stage != phase::head) co_return error_code(errc::head_already_sent);
    begin_response(body.size());
    const http::http1_writer::output made = writer_.whole(body);
    note_overrun(made);
    const error_code ec = co_await write_pieces(pieces_of(made));
    if (ec) co_return ec;
    count_sent(made.body_bytes);
    const error_code ended = co_await finish();
    co_return ended;
}

error_code http1_exchange::takes_no_piece() const noexcept {
    return now_.ended_for_it ? errc::client_disconnected : errc::head_already_sent;
}

bool http1_exchange::takes_pieces() const noexcept {
    return now_.stage == phase::head || now_.stage == phase::streaming;
}

http::http1_writer::output http1_exchange::next_piece(std::string_view piece) {
    if (now_.stage == phase::head) begin_response(std::nullopt);
    http::http1_writer::output made = writer_.piece(piece);
    note_overrun(made);
    end_behind(made, piece);
    return made;
}

awaitable<error_code> http1_exchange::write(std::string_view piece) {
    if (!takes_pieces()) co_return takes_no_piece();
    if (piece.empty()) co_return error_code{};
    const http::http1_writer::output made = next_piece(piece);
    const error_code ec = co_await write_pieces(pieces_of(made));
    if (!ec) count_sent(made.body_bytes);
    co_return ec;
}

std::optional<error_code> http1_exchange::try_write(std::string_view piece) {
    if (!takes_pieces()) return takes_no_piece();
    if (piece.empty()) return error_code{};
    const http::http1_writer::output made = next_piece(piece);
    now_.unsent = pieces_of(made);
    now_.unsent_body = made.body_bytes;
    const std::optional<error_code> outcome = try_pieces(now_.unsent);
    if (outcome && !*outcome) count_sent(made.body_bytes);
    return outcome;
}

awaitable<error_code> http1_exchange::write_rest() {
    const error_code ec = co_await write_pieces(now_.unsent);
    if (ec) co_return ec;
    now_.unsent = {};
    count_sent(now_.unsent_body);
    co_return error_code{};
}

error_code http1_exchange::write_in_line(std::string_view piece, bool (*give_up)()) {
    if (!takes_pieces()) return takes_no_piece();
    if (piece.empty()) return {};
    const http::http1_writer::output made = next_piece(piece);
    pieces left = pieces_of(made);
    for (;;) {
        const std::optional<error_code> outcome = try_pieces(left);
        if (outcome && !*outcome) count_sent(made.body_bytes);
        if (outcome) return *outcome;
        const error_code ec = block_writable(give_up);
        if (ec) return ec;
    }
}

awaitable<error_code> http1_exchange::write_file(int fd, std::uint64_t offset, std::uint64_t count) {
    if (!takes_pieces()) co_return takes_no_piece();
    if (broken_) co_return error_code(errc::client_disconnected);
    if (count == 0) co_return error_code{};
    if (now_.stage == phase::head) begin_response(std::nullopt);
    const http::http1_writer::surroundings around = writer_.around(count);
    const pieces before{piece_of(around.before), iovec{}, iovec{}};
    const error_code begun = co_await write_pieces(before);
    if (begun) co_return begun;
    const error_code sent = co_await send_from_file(fd, offset, around.admitted);
    if (sent) co_return sent;
    const pieces behind{piece_of(around.behind), iovec{}, iovec{}};
    const error_code ended = co_await write_pieces(behind);
    co_return ended;
}

awaitable<error_code> http1_exchange::send_from_file(int fd, std::uint64_t offset, std::uint64_t left) {
    while (left > 0) {
        const io_step step = stream_->try_send_file(fd, offset, static_cast<std::size_t>(left));
        if (step.status == io_status::done) {
            left -= step.bytes;
            count_sent(step.bytes);
        } else if (step.status == io_status::end) {
            // The file became shorter: what was announced cannot be sent any more.
            co_return broken(errc::length_mismatch);
        } else if (step.status == io_status::failed) {
            co_return lost(step);
        }
        if (left == 0) break;
        // Also after progress: waiting yields, so that one fast client does not hold the loop.
        const error_code ec = co_await wait_writable();
        if (ec) co_return ec;
    }
    co_return error_code{};
}

awaitable<error_code> http1_exchange::finish() {
    if (broken_) co_return error_code(errc::client_disconnected);
    if (!takes_pieces()) co_return error_code{};
    if (now_.stage == phase::head) {
        respond({});
        co_return error_code{};
    }
    now_.stage = phase::finished;
    if (writer_.is_short()) {
        log::error(
            "{} {}: the response body has {} bytes, its Content-Length said {}; closing",
            log::escaped(head().method),
            log::escaped(head().target),
            writer_.body_bytes(),
            *writer_.plan().length
        );
        co_return broken(errc::length_mismatch);
    }
    const pieces last{piece_of(writer_.end()), iovec{}, iovec{}};
    const error_code ec = co_await write_pieces(last);
    co_return ec;
}

void http1_exchange::cut() noexcept {
    if (now_.stage == phase::upgraded) {
        now_.websocket_failed = true;
    } else if (!end_event_stream()) {
        [[maybe_unused]] const error_code gone = broken(errc::cancelled);
    }
}

void http1_exchange::refuse(int status, std::string_view detail) {
    const std::string body = page_of_refusal(status, detail);
    http::response_context context;
    context.keep_alive = false;
    context.body_length = body.size();
    context.date = shared_.date();
    context.server = shared_.settings.server_header;
    writer_.begin(response(), context);
    const http::http1_writer::output made = writer_.whole(body);
    const pieces all = pieces_of(made);
    // A page of some hundred bytes fits the empty send buffer of any client that reads.
    stream_->try_write(filled(all));
    count_sent(made.body_bytes);
    end_refused();
    forget_request();
}

bool http1_exchange::try_conclude() {
    if (broken_) return true;
    switch (now_.stage) {
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
    if (now_.stage == phase::responded && !try_respond()) return false;
    return broken_ || reader_.body_done() || !writer_.plan().keep_alive;
}

// False where some of it is left to be written, or to be complained about.
bool http1_exchange::try_respond() {
    begin_response(now_.body.size());
    const http::http1_writer::output made = writer_.whole(now_.body);
    note_overrun(made);
    now_.unsent = pieces_of(made);
    const std::optional<error_code> outcome = try_pieces(now_.unsent);
    if (outcome && *outcome) return true;
    if (!outcome || writer_.is_short()) return false;
    count_sent(made.body_bytes);
    now_.stage = phase::finished;
    return true;
}

awaitable<void> http1_exchange::conclude() {
    if (now_.stage == phase::upgraded && now_.handover) {
        co_await conclude_handover();
    } else if (now_.stage == phase::upgraded) {
        co_await conclude_websocket();
    } else {
        co_await conclude_http();
    }
}

awaitable<void> http1_exchange::conclude_http() {
    if (now_.stage == phase::streaming) {
        const error_code ec = co_await write_pieces(now_.unsent);
        if (ec) co_return;
        now_.unsent = {};
        count_sent(writer_.body_bytes());
        const error_code ended = co_await finish();
        if (ended) co_return;
    }
    if (!reader_.body_done() && writer_.plan().keep_alive && !broken_) {
        [[maybe_unused]] const error_code skipped = co_await skip_body();
    }
}

}  // namespace unicoro::worker

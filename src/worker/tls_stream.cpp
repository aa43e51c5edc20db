// SPDX-License-Identifier: MIT
#include "worker/tls_stream.hpp"

#include "log/log.hpp"
#include "os/forks.hpp"
#include "worker/at_once.hpp"

#include <boost/asio/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace unicoro::worker {
namespace {

using waited = std::tuple<error_code>;
using phase = tls::session::status;

// The most that one record carries (RFC 8446, 5.1).
constexpr std::size_t record_size = 16384;

// To a client that speaks HTTP where TLS is spoken: what it can show its user.
constexpr std::string_view speak_tls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 54\r\nConnection: close\r\n\r\n"
    "This port speaks HTTPS: the address begins with https\n";

error_code error_of(const error_code& why) noexcept {
    return why ? why : error_code(EPROTO, boost::system::system_category());
}

io_step step_of(const tls::session::step& step) noexcept {
    switch (step.what) {
        case phase::done: return {io_status::done, step.bytes};
        case phase::want_read:
        case phase::want_write: return {io_status::would_block};
        case phase::end: return {io_status::end};
        case phase::clear_text:
        case phase::failed: break;
    }
    return {io_status::failed, 0, error_of(step.why)};
}

}  // namespace

tls_stream::tls_stream(
    asio::io_context& io,
    std::shared_ptr<const tls::context> with,
    handshake_places& places,
    std::vector<char>& gathered,
    const scoreboard::counting& counts
)
    : session_(std::move(with), *this), place_(io, places), gathered_(gathered), counts_(counts) {}

tls_stream::~tls_stream() = default;

tls::transport::step tls_stream::receive(std::span<char> into) noexcept {
    const io_step came = beneath_->try_read(into);
    switch (came.status) {
        case io_status::done: return {transport::status::done, came.bytes};
        case io_status::would_block: return {transport::status::would_block};
        case io_status::end: return {transport::status::end};
        case io_status::failed: break;
    }
    return {transport::status::failed, 0, came.why};
}

tls::transport::step tls_stream::send(std::span<const char> bytes) noexcept {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const io_step sent = beneath_->try_write({&piece, 1});
    switch (sent.status) {
        case io_status::done: return {transport::status::done, sent.bytes};
        case io_status::would_block: return {transport::status::would_block};
        case io_status::end:
        case io_status::failed: break;
    }
    return {transport::status::failed, 0, sent.why};
}

void tls_stream::describe(app::connection_info& about) const {
    beneath_->describe(about);
    auto facts = std::make_unique<app::stream_facts>();
    if (about.stream) *facts = *about.stream;
    facts->tls = session_.agreed();
    about.stream = std::move(facts);
}

void tls_stream::cancel() noexcept {
    place_.cancel();
    beneath_->cancel();
}

io_step tls_stream::try_read(std::span<char> into) noexcept {
    if (!met_) return {io_status::would_block};
    const tls::session::step came = session_.read(into);
    reads_by_writing_ = came.what == phase::want_write;
    return step_of(came);
}

io_step tls_stream::encrypt(std::span<const char> bytes) noexcept {
    const io_step sent = step_of(session_.write(bytes));
    if (sent.status == io_status::would_block) {
        committed_.assign(bytes.data(), std::min(bytes.size(), record_size));
    } else {
        std::string().swap(committed_);
    }
    return sent;
}

// Who would have been blocked may think better of it and write something else (what was to be "100
// Continue"): the record that is made goes out first.
io_step tls_stream::write_record(std::span<const char> bytes) noexcept {
    const std::string_view given(bytes.data(), bytes.size());
    if (!given.starts_with(committed_)) {
        const std::string before = committed_;
        const io_step sent = encrypt(before);
        if (sent.status != io_status::done) return sent;
    }
    return encrypt(bytes);
}

// Small pieces go out in one record. What would block is asked for again with the same bytes.
io_step tls_stream::try_write(std::span<const iovec> pieces) noexcept {
    const auto bytes_of = [](const iovec& piece) {
        return std::span(static_cast<const char*>(piece.iov_base), piece.iov_len);
    };
    while (!pieces.empty() && pieces.front().iov_len == 0) pieces = pieces.subspan(1);
    if (pieces.empty()) return {io_status::done};
    if (pieces.size() == 1 || pieces.front().iov_len >= record_size)
        return write_record(bytes_of(pieces.front()));
    std::size_t filled = 0;
    for (const iovec& piece : pieces) {
        const auto part = bytes_of(piece).first(std::min(piece.iov_len, record_size - filled));
        std::ranges::copy(part, gathered_.begin() + static_cast<std::ptrdiff_t>(filled));
        filled += part.size();
        if (filled == record_size) break;
    }
    return write_record(std::span(gathered_).first(filled));
}

io_step tls_stream::try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept {
    if (!committed_.empty()) {
        // The file may have changed since: what was read of it is what is sent, once.
        const std::string before = committed_;
        const io_step sent = encrypt(before);
        offset += sent.bytes;
        return sent;
    }
    const std::size_t wanted = std::min(count, record_size);
    ssize_t got = pread(fd, gathered_.data(), wanted, static_cast<off_t>(offset));
    while (got < 0 && errno == EINTR) got = pread(fd, gathered_.data(), wanted, static_cast<off_t>(offset));
    if (got < 0) return {io_status::failed, 0, error_code(errno, boost::system::system_category())};
    if (got == 0) return {io_status::end};
    const io_step sent = encrypt(std::span(gathered_).first(static_cast<std::size_t>(got)));
    offset += sent.bytes;
    return sent;
}

awaitable<waited> tls_stream::wait_readable() {
    if (session_.holds_input()) return at_once();
    return reads_by_writing_ ? beneath_->wait_writable() : beneath_->wait_readable();
}

awaitable<waited> tls_stream::wait_idle() {
    if (!met_) return meet();
    return session_.holds_input() ? at_once() : beneath_->wait_idle();
}

bool tls_stream::readable_now() noexcept {
    return (met_ && session_.holds_input()) || beneath_->readable_now();
}

void tls_stream::refuse_handshake(const tls::session::step& why) noexcept {
    counts_.add(scoreboard::counter::tls_failures);
    // As those do who look whether the port is open.
    if (why.what == phase::end) return log::debug("A client has left in the TLS handshake");
    if (why.what != phase::clear_text) {
        return log::info("A client did not complete the TLS handshake: {}", session_.reason());
    }
    log::info("A client spoke HTTP without TLS");
    const iovec answer{const_cast<char*>(speak_tls.data()), speak_tls.size()};
    (void)beneath_->try_write({&answer, 1});
}

// Whatever ends this ends the connection.
awaitable<waited> tls_stream::meet() {
    const waited begun = co_await beneath_->wait_idle();
    if (std::get<0>(begun)) co_return begun;
    if (!beneath_->readable_now()) {
        // A proxy has announced a client of whom nothing has come.
        const waited came = co_await beneath_->wait_readable();
        if (std::get<0>(came)) co_return came;
    }
    const bool entered = co_await place_.enter();
    if (!entered) {
        const waited over{asio::error::operation_aborted};
        co_return over;
    }
    for (;;) {
        const tls::session::step met = session_.handshake();
        if (met.what == phase::done) break;
        if (met.what == phase::want_read) {
            const waited came = co_await beneath_->wait_readable();
            if (std::get<0>(came)) co_return came;
        } else if (met.what == phase::want_write) {
            const waited gone = co_await beneath_->wait_writable();
            if (std::get<0>(gone)) co_return gone;
        } else {
            refuse_handshake(met);
            const waited ended{asio::error::eof};
            co_return ended;
        }
    }
    met_ = true;
    counts_.add(scoreboard::counter::tls_handshakes);
    place_.leave();
    const waited met{};
    co_return met;
}

bool tls_stream::end_output() noexcept {
    // A forked child has the session's keys, and no business with its client.
    if (!met_ || output_ended_ || os::forked_off()) return true;
    output_ended_ = session_.end_output();
    return output_ended_;
}

// Without the word before it the end of the stream says nothing: where that finds no room, `close` tries
// again.
void tls_stream::shutdown_write() noexcept {
    if (end_output()) beneath_->shutdown_write();
}

void tls_stream::reset_on_close() noexcept {
    output_ended_ = true;
    beneath_->reset_on_close();
}

void tls_stream::close() noexcept {
    [[maybe_unused]] const bool told = end_output();
    beneath_->close();
}

tls_streams::tls_streams(
    asio::io_context& io,
    stream_factory& beneath,
    std::shared_ptr<const tls::context> with,
    std::size_t most_handshakes,
    scoreboard::counting counts
)
    : io_(io),
      beneath_(beneath),
      with_(std::move(with)),
      places_(most_handshakes),
      gathered_(record_size),
      counts_(counts) {}

std::unique_ptr<byte_stream> tls_streams::make(int family, int fd) {
    auto stream = std::make_unique<tls_stream>(io_, with_, places_, gathered_, counts_);
    stream->put_on(beneath_.make(family, fd));
    return stream;
}

}  // namespace unicoro::worker

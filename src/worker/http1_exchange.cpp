// SPDX-License-Identifier: MIT
// The request half of an exchange; http1_response.cpp has the other.
#include "worker/http1_exchange.hpp"

#include "log/access.hpp"
#include "log/log.hpp"
#include "worker/connection.hpp"
#include "worker/handover.hpp"
#include "worker/serving.hpp"
#include "worker/websocket_session.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstring>

namespace unicoro::worker {
namespace {

// A body that the application left unread is read and thrown away up to this size to keep the
// connection; beyond, closing it is cheaper.
constexpr std::uint64_t skip_limit = 256 * 1024;

// What must stay free behind a head so that chunk framing can be read without moving the head.
constexpr std::size_t room_for_framing = 2048;

// Empties it; what a large response took is not kept by the pool.
void give_back(std::string& bytes) noexcept {
    constexpr std::size_t kept = 16 * 1024;
    if (bytes.capacity() > kept) {
        bytes = std::string();
    } else {
        bytes.clear();
    }
}

}  // namespace

http1_exchange::http1_exchange(serving& shared)
    : shared_(shared),
      nursery_(shared.io),
      parser_(shared.policy),
      request_deadline_(&http1_exchange::request_expired, this),
      send_deadline_(&http1_exchange::send_expired, this) {}

http1_exchange::~http1_exchange() = default;

void http1_exchange::attach(worker::connection& to) noexcept {
    connection_ = &to;
    stream_ = &to.stream();
    broken_ = false;
}

void http1_exchange::detach() noexcept {
    if (now_.running) {
        // An exception ended the connection in the middle of a request.
        if (now_.stage != phase::finished) broken(errc::cancelled);
        end_request();
    }
    forget_request();
    input_.clear();
    connection_ = nullptr;
    stream_ = nullptr;
}

app::connection_info& http1_exchange::connection() noexcept {
    return connection_->info();
}

http1_exchange::head_step http1_exchange::try_read_head() {
    if (input_.unread().size() == now_.examined) {
        if (!input_.compact()) input_.grow();
        const io_step step = stream_->try_read(input_.space());
        if (step.status == io_status::would_block) return head_step::need_more;
        if (step.status != io_status::done) return head_step::end;
        input_.received(step.bytes);
    }
    now_.examined = input_.unread().size();
    auto status = parser_.parse_head(input_.unread(), connection_->trust());
    if (status == http::request_parser::head_status::complete &&
        parser_.head().framing != http::body_framing::none && input_.space().size() < room_for_framing) {
        // Now is the last moment to move the head.
        input_.grow();
        parser_.reset();
        status = parser_.parse_head(input_.unread(), connection_->trust());
    }
    switch (status) {
        case http::request_parser::head_status::need_more: return head_step::need_more;
        case http::request_parser::head_status::refused: return head_step::refused;
        case http::request_parser::head_status::complete: break;
    }
    input_.use(parser_.head_size());
    input_.pin();
    return head_step::complete;
}

void http1_exchange::begin_request() {
    const http::request_head& head = parser_.head();
    now_.running = true;
    now_.body_done = head.framing == http::body_framing::none ||
                     (head.framing == http::body_framing::length && head.content_length == 0);
    now_.continue_due = head.expects_continue && !now_.body_done;
    now_.started = scoreboard::monotonic_now();
    // A request that holds the loop has the whole of `timeout`, from here on.
    shared_.slot.heartbeat.store(now_.started, std::memory_order_relaxed);
    now_.ledger_entry = shared_.ledger.open(head.method, head.target, now_.started);
    shared_.deadlines.arm(request_deadline_, shared_.limits.request);
}

void http1_exchange::end_request() {
    request_deadline_.disarm();
    if (now_.websocket) end_websocket();
    if (now_.handover) end_handover();
    if (log::access_enabled()) write_access_line();
    shared_.ledger.close(now_.ledger_entry);
    shared_.slot.requests.store(
        shared_.slot.requests.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed
    );
    if (shared_.requests_left > 0 && --shared_.requests_left == 0) shared_.on_request_limit();
    forget_request();
    input_.unpin();
}

void http1_exchange::forget_request() noexcept {
    // Who ends with it finds the next one, which knows nothing.
    const of_request over = std::exchange(now_, of_request());
    parser_.reset();
    response_.reset();
    give_back(out_);
    give_back(body_);
    is_at({});
    runs_as(nullptr);
}

void http1_exchange::request_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http1_exchange*>(self);
    // The application has just taken the connection.
    if (late.now_.handover && !late.now_.handover->offer()->withdraw()) return;
    late.now_.out_of_time = true;
    const http::request_head& head = late.parser_.head();
    log::warning(
        "request_timeout: {} {} cancelled after {:.1f} s{}",
        log::escaped(head.method),
        log::escaped(head.target),
        static_cast<double>(scoreboard::monotonic_now() - late.now_.started) / 1e9,
        late.running() != nullptr ? "; it was here:\n" + late.running()->stack() : std::string()
    );
    late.connection_->cancel();
}

bool http1_exchange::reusable() const noexcept {
    return now_.stage == phase::finished && now_.plan.keep_alive && now_.body_done && !broken_;
}

error_code http1_exchange::broken(errc why) noexcept {
    // Without a length a plain close would look like the end of the body.
    const bool ends_by_close = now_.head_sent && now_.stage != phase::finished &&
                               now_.plan.framing == http::response_framing::until_close;
    if (ends_by_close) stream_->reset_on_close();
    broken_ = true;
    return why;
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
    while (now_.continue_due && !now_.head_sent) {
        const io_step step = stream_->try_write(std::span<const iovec>(&piece, 1));
        if (step.status == io_status::would_block) {
            const auto [ec] = co_await stream_->wait_writable();
            if (ec) co_return ec;
            continue;
        }
        now_.continue_due = false;
        // A socket with room takes these few bytes whole; a cut line cannot be mended.
        if (step.bytes != interim.size()) co_return broken(errc::client_disconnected);
    }
    co_return error_code{};
}

result<std::size_t> http1_exchange::take_body(std::span<char> into) {
    using status = http::request_parser::body_status;
    while (now_.pending.empty() && !input_.empty()) {
        const auto step = parser_.decode_body(input_.unread());
        input_.use(step.consumed);
        if (step.status == status::data) {
            now_.pending = step.data;
        } else if (step.status == status::complete) {
            now_.body_done = true;
            return std::size_t{0};
        } else if (step.status == status::refused) {
            const bool too_large = parser_.refused_because().status == 413;
            return body_failed(too_large ? errc::body_too_large : errc::malformed_body);
        } else {
            return std::size_t{0};
        }
    }
    if (now_.pending.empty()) return std::size_t{0};
    const std::size_t count = std::min(into.size(), now_.pending.size());
    std::memcpy(into.data(), now_.pending.data(), count);
    now_.pending.remove_prefix(count);
    now_.body_received += count;
    note_length_reached();
    return count;
}

// The last byte of a Content-Length body ends it: the next read must not wait for more.
void http1_exchange::note_length_reached() noexcept {
    const http::request_head& head = parser_.head();
    if (head.framing == http::body_framing::length && now_.body_received == head.content_length) {
        now_.body_done = true;
    }
}

awaitable<error_code> http1_exchange::await_body_bytes() {
    connection_->arm(shared_.limits.body);
    error_code failed;
    // An interim response cannot go into a final one that has begun (RFC 9110, 15.2).
    if (now_.continue_due && !now_.head_sent) {
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
    for (;;) {
        if (now_.body_done) return std::size_t{0};
        if (broken_ || now_.body_failed) return error_code(errc::client_disconnected);
        const result<std::size_t> taken = take_body(into);
        if (!taken || *taken > 0) return taken;
        if (now_.body_done) return std::size_t{0};

        // The buffer is used up. A body of known length goes straight to the reader.
        const http::request_head& head = parser_.head();
        const bool direct = head.framing == http::body_framing::length;
        if (!direct && !input_.compact()) return body_failed(errc::malformed_body);
        std::span<char> target = input_.space();
        if (direct) {
            const std::uint64_t left = head.content_length - now_.body_received;
            target = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left)));
        }
        const io_step step = stream_->try_read(target);
        if (step.status == io_status::would_block) return std::nullopt;
        if (step.status == io_status::end) return body_failed(errc::incomplete_body);
        if (step.status == io_status::failed) return broken(errc::client_disconnected);
        if (!direct) {
            input_.received(step.bytes);
            continue;
        }
        now_.body_received += step.bytes;
        note_length_reached();
        return step.bytes;
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
        const bool room = input_.compact();
        io_step step{io_status::would_block, 0};
        if (room) step = stream_->try_read(input_.space());
        if (step.status == io_status::done) {
            input_.received(step.bytes);
        } else if (step.status != io_status::would_block) {
            [[maybe_unused]] const error_code gone = broken(errc::client_disconnected);
        } else {
            const auto [ec] = co_await wait_for_more(room);
            if (ec) co_return;
        }
    }
}

awaitable<std::tuple<error_code>> http1_exchange::wait_for_more(bool room) {
    if (room) return stream_->wait_readable();
    return shared_.never.async_wait(as_tuple);
}

bool http1_exchange::body_too_long_to_skip() const noexcept {
    if (now_.body_done) return false;
    // Who waits for 100-continue and gets a final answer may or may not send the body.
    if (now_.continue_due) return true;
    const http::request_head& head = parser_.head();
    return head.framing == http::body_framing::length &&
           head.content_length - now_.body_received > skip_limit;
}

awaitable<error_code> http1_exchange::skip_body() {
    if (now_.continue_due) co_return error_code(errc::cancelled);
    std::array<char, 8192> unwanted;
    std::uint64_t skipped = 0;
    while (!now_.body_done) {
        const result<std::size_t> taken = co_await read_body(unwanted);
        if (!taken) co_return taken.error();
        skipped += *taken;
        if (skipped > skip_limit) co_return errc::body_too_large;
    }
    co_return error_code{};
}

}  // namespace unicoro::worker

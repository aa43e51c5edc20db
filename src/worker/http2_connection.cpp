// SPDX-License-Identifier: MIT
// What comes and goes on a connection of HTTP/2; http2_farewell.cpp has its ends.
#include "worker/http2_connection.hpp"

#include "aio/fresh_frames.hpp"
#include "log/log.hpp"
#include "worker/http2_stream.hpp"
#include "worker/sender.hpp"
#include "worker/serving.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <exception>
#include <utility>

namespace unicoro::worker {
namespace {

// What one write takes; the frames of many streams go out together.
constexpr std::size_t at_once = std::size_t{64} * 1024;
constexpr std::size_t read_at_once = 16384;
// A client that keeps its streams full must not keep the loop.
constexpr int reads_at_once = 8;
constexpr unsigned requests_at_once = 32;

http2::bounds bounds_of(const serving& shared) noexcept {
    const settings::http2_settings& values = shared.settings.http2;
    return {
        values.http2_max_concurrent_streams,
        values.http2_initial_window_size,
        values.http2_max_frame_size,
        values.http2_max_header_list_size,
        // Where some take the connection itself, clients go on opening WebSockets by HTTP/1.1.
        shared.host != nullptr && shared.host->accepts_websockets(),
    };
}

}  // namespace

http2_connection::http2_connection(
    serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info, std::string_view begun
)
    : client_connection(shared, std::move(stream), std::move(info)),
      sender_(sender_of(info_, shared.forwarders)),
      session_(*this, shared.settings.policy, bounds_of(shared), &scoreboard::monotonic_now),
      begun_(begun),
      streams_(shared.io),
      writer_(shared.io),
      to_write_(shared.io),
      all_ended_(shared.io),
      limit_(&http2_connection::limit_expired, this),
      head_limit_(&http2_connection::head_expired, this),
      farewell_limit_(&http2_connection::farewell_expired, this),
      send_limit_(&http2_connection::send_expired, this) {
    session_.comes_from(sender_);
    streams_.on_empty([this] { streams_ended(); });
}

http2_connection::~http2_connection() = default;

// --- what comes

http2::stream* http2_connection::begin_stream(std::int32_t id) {
    // Those that the client has given up run on: they count too.
    const std::size_t most = shared_.settings.http2.http2_max_concurrent_streams;
    if (stopped_ || streams_.size() + ready_.size() >= most) return nullptr;
    arriving_ = std::make_unique<http2_stream>(shared_, *this, id);
    shared_.deadlines.arm(head_limit_, shared_.limits.header);
    return arriving_.get();
}

void http2_connection::head_came(http2::stream&) {
    head_limit_.disarm();
    ready_.push_back(std::move(arriving_));
}

void http2_connection::drop(http2::stream&) noexcept {
    head_limit_.disarm();
    arriving_.reset();
}

bool http2_connection::process(std::string_view bytes) {
    const bool goes_on = session_.receive(bytes);
    if (end_heard_ && farewell_ == farewell::announced) say_farewell();
    if (!goes_on) return false;
    if (shared_.draining && session_.met()) begin_farewell();
    start_requests();
    return true;
}

void http2_connection::start_requests() {
    while (!ready_.empty()) {
        std::vector<std::unique_ptr<http2_stream>> come = std::exchange(ready_, {});
        stop_idling();
        if (waits_ != wait::linger) limit_.disarm();
        for (std::unique_ptr<http2_stream>& each : come) {
            http2_stream& request = *each;
            if (request.closed()) {
                session_.forget(request);
                continue;
            }
            ++started_;
            awaitable<void> life = request.serve();
            streams_.spawn(std::move(each), std::move(life));
        }
    }
    if (idle()) streams_ended();
}

http2_connection::reading http2_connection::read_some() {
    std::array<char, read_at_once> room;
    bool ended = false;
    int reads = 0;
    while (!ended && !lost_ && !stopped_ && reads < reads_at_once && started_ < requests_at_once) {
        const io_step step = stream_->try_read(room);
        if (step.status == io_status::would_block) break;
        if (step.status != io_status::done) {
            lose();
            return reading::over;
        }
        ++reads;
        ended = !process({room.data(), step.bytes});
    }
    if (!flush()) kick();
    if (ended || lost_ || stopped_ || session_.over()) return reading::over;
    const bool more = reads == reads_at_once || started_ >= requests_at_once;
    return more ? reading::again : reading::paused;
}

awaitable<std::tuple<error_code>> http2_connection::more_to_read() {
    return idle() ? stream_->wait_idle() : stream_->wait_readable();
}

awaitable<void> http2_connection::read_loop() {
    if (!process(std::exchange(begun_, {}))) co_return;
    for (;;) {
        started_ = 0;
        const reading came = read_some();
        if (came == reading::over || cancelled_) co_return;
        if (came == reading::again) {
            [[maybe_unused]] const std::tuple<> turn = co_await asio::post(shared_.io, as_tuple);
            continue;
        }
        const auto [ec] = co_await more_to_read();
        if (stopped_ || cancelled_ || lost_) co_return;
        if (ec && ec != asio::error::try_again && ec != asio::error::operation_aborted) {
            lose();
            co_return;
        }
    }
}

// --- what goes

void http2_connection::kick() noexcept {
    if (!over_) to_write_.set();
}

bool http2_connection::flush() noexcept {
    if (over_ || lost_) return true;
    try {
        for (;;) {
            if (gone_ == out_.size()) {
                out_.clear();
                gone_ = 0;
                session_.output(out_, at_once);
                if (out_.empty()) return true;
            }
            const iovec piece{out_.data() + gone_, out_.size() - gone_};
            const io_step step = stream_->try_write(std::span<const iovec>(&piece, 1));
            if (step.status == io_status::would_block) return false;
            if (step.status != io_status::done) break;
            gone_ += step.bytes;
        }
    } catch (const std::exception& failure) {
        log::error("{}: {}", name(), failure.what());
    }
    lose();
    return true;
}

void http2_connection::send_expired(aio::deadline&, void* self) noexcept {
    auto& late = *static_cast<http2_connection*>(self);
    log::warning("send_timeout: {}: the client took nothing; the connection is cut", late.name());
    late.lose();
}

void http2_connection::start_late() noexcept {
    if (ready_.empty() || stopped_) return;
    try {
        start_requests();
    } catch (const std::exception& failure) {
        log::error("{}: {}", name(), failure.what());
        lose();
    }
}

awaitable<void> http2_connection::write_loop() {
    while (writing_) {
        const auto [woken] = co_await to_write_.wait();
        if (woken) co_return;
        bool flushed = flush();
        while (!flushed && writing_) {
            shared_.deadlines.arm(send_limit_, shared_.limits.send);
            [[maybe_unused]] const auto [ec] = co_await stream_->wait_writable();
            send_limit_.disarm();
            flushed = flush();
        }
        // Those that came while code held the loop: nothing else may come to wake who reads.
        start_late();
        // What was to be said last has been said.
        if (!lost_ && session_.over()) stop();
    }
}

void http2_connection::move_on(std::chrono::milliseconds most) noexcept {
    constexpr std::chrono::milliseconds short_while{20};
    if (gone_ < out_.size()) stream_->block_writable(std::min(most, short_while));
    if (gone_ == out_.size() && !stream_->block_readable(most)) return;
    std::array<char, read_at_once> room;
    const io_step step = stream_->try_read(room);
    if (step.status == io_status::would_block) return;
    try {
        // Requests that come begin when the loop goes on.
        if (step.status == io_status::done && session_.receive({room.data(), step.bytes})) return;
    } catch (const std::exception& failure) {
        log::error("{}: {}", name(), failure.what());
    }
    lose();
    leave_streams();
}

void go_on_as_http2(
    serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info, std::string_view begun
) {
    const aio::fresh_frames for_its_whole_life;
    auto client = std::make_unique<http2_connection>(shared, std::move(stream), std::move(info), begun);
    http2_connection& serving_it = *client;
    shared.clients->spawn(std::move(client), serving_it.serve());
}

}  // namespace unicoro::worker

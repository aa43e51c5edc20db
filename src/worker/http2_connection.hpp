// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "aio/event.hpp"
#include "aio/task_group.hpp"
#include "http/policy.hpp"
#include "http2/session.hpp"
#include "worker/client_connection.hpp"
#include "worker/idle_connections.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace unicoro::worker {

class http2_stream;

/// A connection of HTTP/2 (RFC 9113): one coroutine reads, one writes where the socket has no room, and each
/// request has its own. It owns them all: `serve` returns when none is left, after each was told that its
/// client has gone, or was cancelled. The bytes of responses stay with their streams until the session has
/// taken them.
class http2_connection final : public client_connection, public idle_connection, private http2::session_user {
  public:
    /// `begun`: what was read of it already.
    http2_connection(
        serving& shared,
        std::unique_ptr<byte_stream> stream,
        app::connection_info info,
        std::string_view begun
    );
    ~http2_connection() override;

    void cancel() override;
    awaitable<void> serve() override;
    void drain() noexcept override;
    bool give_way() noexcept override;

    // --- for its streams

    [[nodiscard]] http2::session& session() noexcept { return session_; }
    [[nodiscard]] http::peer sender() const noexcept { return sender_; }
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

    /// There is something to send: it goes out when the loop has its next turn.
    void kick() noexcept;
    /// Sends what there is, as far as there is room; true when nothing is left.
    bool flush() noexcept;
    /// Without the loop, for code that holds it: sends and reads, or waits until one of them can be done.
    void move_on(std::chrono::milliseconds most) noexcept;

  private:
    enum class wait : std::uint8_t { first_request, next_request, linger };
    enum class farewell : std::uint8_t { none, announced, said };
    enum class reading : std::uint8_t { paused, again, over };

    // --- http2::session_user
    http2::stream* begin_stream(std::int32_t id) override;
    void head_came(http2::stream& which) override;
    void drop(http2::stream& which) noexcept override;
    void end_announced() noexcept override { end_heard_ = true; }

    static void limit_expired(aio::deadline& which, void* self) noexcept;
    static void head_expired(aio::deadline& which, void* self) noexcept;
    static void farewell_expired(aio::deadline& which, void* self) noexcept;
    static void send_expired(aio::deadline& which, void* self) noexcept;

    void await(wait what, aio::deadline_queue& limit);
    awaitable<void> read_loop();
    awaitable<void> write_loop();
    [[nodiscard]] awaitable<std::tuple<error_code>> more_to_read();
    [[nodiscard]] reading read_some();
    [[nodiscard]] bool process(std::string_view bytes);
    void start_requests();
    void start_late() noexcept;
    void streams_ended();
    [[nodiscard]] bool idle() const noexcept { return streams_.empty() && ready_.empty() && !arriving_; }

    [[nodiscard]] bool waits_less() const noexcept;
    void begin_farewell();
    void say_farewell();
    void stop() noexcept;
    void lose() noexcept;
    void leave_streams() noexcept;
    awaitable<void> await_streams();
    awaitable<void> end_writing();
    awaitable<void> linger();

    http::peer sender_;
    http2::session session_;
    std::string begun_;
    std::unique_ptr<http2_stream> arriving_;            // its head is on its way
    std::vector<std::unique_ptr<http2_stream>> ready_;  // to be run when the session is left
    aio::task_group streams_;
    aio::task_group writer_;
    aio::event to_write_;
    aio::event all_ended_;
    aio::deadline limit_;
    aio::deadline head_limit_;
    aio::deadline farewell_limit_;
    aio::deadline send_limit_;
    std::string out_;       // made by the session
    std::size_t gone_ = 0;  // of out_
    unsigned started_ = 0;  // requests since the loop had a turn
    wait waits_ = wait::first_request;
    farewell farewell_ = farewell::none;
    bool end_heard_ = false;
    bool stopped_ = false;  // there is nothing more to be read
    bool lost_ = false;     // the client has gone
    bool cancelled_ = false;
    bool writing_ = true;  // the writer goes on
    bool over_ = false;    // the stream is not touched any more
};

/// A connection that was taken for one of HTTP/1.x goes on as one of HTTP/2, which is a task of its own.
/// `begun` is what was read of it.
void go_on_as_http2(
    serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info, std::string_view begun
);

}  // namespace unicoro::worker

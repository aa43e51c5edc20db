// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "aio/event.hpp"
#include "aio/task_group.hpp"
#include "http/http1_writer.hpp"
#include "http2/stream.hpp"
#include "worker/request_run.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::worker {

class http2_connection;
class http2_tunnel;
class websocket_session;

/// One request of a connection of HTTP/2 and its response. Made when its head begins to come; from its head
/// on a task of the connection, which outlives it. Its coroutine ends when the response is in the session's
/// hands or cannot be sent, and with it whatever was started for the request.
class http2_stream final : public aio::task, public request_run, public http2::stream {
  public:
    http2_stream(serving& shared, http2_connection& of, std::int32_t id);
    ~http2_stream() override;

    std::string name() const override;

    /// Its whole life.
    awaitable<void> serve();

    /// The connection carries nothing any more.
    void client_gone();
    /// The worker ends: server-sent events and WebSockets, which have no end of their own, come to one.
    void drain();

    // --- app::exchange

    const http::request_head& head() const noexcept override { return request().head(); }
    app::connection_info& connection() noexcept override;
    awaitable<result<std::size_t>> read_body(std::span<char> into) override;
    std::optional<result<std::size_t>> try_read_body(std::span<char> into) override;
    awaitable<void> wait_disconnect() override;
    bool head_sent() const noexcept override { return begun_; }
    void respond(std::string body) override;
    awaitable<error_code> send(std::string_view body) override;
    awaitable<error_code> write(std::string_view piece) override;
    std::optional<error_code> try_write(std::string_view piece) override;
    awaitable<error_code> write_rest() override;
    error_code write_in_line(std::string_view piece, bool (*give_up)()) override;
    awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) override;
    awaitable<error_code> finish() override;
    awaitable<result<std::shared_ptr<app::websocket>>> accept_websocket(std::string subprotocol) override;
    std::shared_ptr<app::connection_offer> offer_connection(app::loop_meanwhile) override { return nullptr; }
    bool disconnected() const noexcept override { return broken_ || ended_for_it_; }

  private:
    enum class phase : std::uint8_t { head, streaming, responded, finished, upgraded };

    // --- http2::stream
    void notice() noexcept override;
    void sent(std::size_t bytes) noexcept override { count_sent(bytes); }

    // --- request_run
    std::chrono::nanoseconds lay_unread() const noexcept override;
    bool from_trusted() const noexcept override;
    bool body_read() const noexcept override;
    bool may_expire() noexcept override { return true; }
    void cancel_handling() noexcept override { aio::task::cancel(); }
    bool connection_cancelled() const noexcept override;
    void send_hints(const http::response_head& hints) override;
    void handled() noexcept override;
    bool answered() const noexcept override { return broken_ || stage_ == phase::finished; }
    void cut() noexcept override;
    bool try_conclude() override;
    awaitable<void> conclude() override;

    // --- the request's body
    static void body_expired(aio::deadline& which, void* self) noexcept;
    awaitable<error_code> await_body_bytes();
    error_code body_failed(errc why) noexcept;

    // --- the response
    class lent_piece;
    void take_back() noexcept;
    static void send_expired(aio::deadline& which, void* self) noexcept;
    void begin_response(std::optional<std::uint64_t> body_length);
    [[nodiscard]] bool takes_pieces() const noexcept {
        return stage_ == phase::head || stage_ == phase::streaming;
    }
    /// As much of it as the response may have.
    [[nodiscard]] std::string_view admitted(std::string_view piece);
    /// True when some of it is to be sent, and was given to the session.
    [[nodiscard]] bool give_piece(std::string_view piece);
    [[nodiscard]] bool is_short() const noexcept;
    error_code complain_of_short();
    awaitable<error_code> await_taken();
    awaitable<error_code> await_progress();
    static void drain_expired(aio::deadline& which, void* self) noexcept;
    void watch_event_stream();
    void end_events();
    void end_endless();
    [[nodiscard]] bool end_event_stream() noexcept;
    [[nodiscard]] error_code takes_no_piece() const noexcept;
    error_code in_line(bool (*give_up)());
    error_code sent_too_late() noexcept;
    /// Nothing more goes out, and the client must not take what did for the whole.
    error_code broken(errc why) noexcept;
    error_code lost() noexcept;
    void refuse();
    awaitable<void> await_sent();

    // --- as a WebSocket (http2_websocket.cpp)
    void begin_websocket(std::string_view extensions, std::string_view subprotocol);
    awaitable<void> conclude_websocket();
    void end_websocket() noexcept;

    http2_connection& connection_;
    aio::event input_news_;
    aio::event output_news_;
    aio::event gone_news_;
    aio::deadline body_limit_;
    aio::deadline send_limit_;
    aio::deadline drain_limit_;
    std::string event_tail_;  // of a stream of server-sent events: its last bytes
    std::string body_;        // given by respond()
    http::response_plan plan_;
    std::unique_ptr<http2_tunnel> tunnel_;
    std::shared_ptr<websocket_session> websocket_;  // upon the tunnel
    bool websocket_failed_ = false;                 // by the application
    std::uint64_t body_bytes_ = 0;                  // given to the session
    std::uint64_t body_seen_ = 0;                   // of the request's: when its limit began
    std::uint64_t sent_seen_ = 0;                   // of the response's, likewise
    phase stage_ = phase::head;
    bool begun_ = false;
    bool overran_ = false;
    bool continue_due_ = false;
    bool body_failed_ = false;
    bool body_late_ = false;
    bool send_late_ = false;
    bool broken_ = false;
    bool event_stream_ = false;
    bool encoded_events_ = false;
    bool last_event_ = false;    // it ends with the next one
    bool ended_for_it_ = false;  // the application knows nothing of the end
};

}  // namespace unicoro::worker

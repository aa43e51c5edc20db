// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "http/http1_reader.hpp"
#include "http/http1_writer.hpp"
#include "worker/byte_stream.hpp"
#include "worker/request_run.hpp"
#include "worker/upgrade.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::worker {

class handover;
class http1_connection;
class websocket_session;

/// One HTTP/1.x request and its response: an http1_reader and an http1_writer on a byte stream. Pooled: lent
/// to a connection while it is busy, reused request after request.
class http1_exchange final : public request_run, private upgrade {
  public:
    explicit http1_exchange(serving& shared);
    ~http1_exchange() override;

    void attach(http1_connection& to) noexcept;
    void detach() noexcept;

    // --- for the connection

    enum class head_step : std::uint8_t { need_more, complete, refused, end };

    /// Reads what is there and parses it; never waits.
    head_step try_read_head();
    [[nodiscard]] bool has_unread() const noexcept { return reader_.has_unread(); }
    [[nodiscard]] std::string_view unread() const noexcept { return reader_.unread(); }

    /// The head is complete: the request runs from here to `end_request`.
    void begin_request() { begin(); }
    void end_request();

    /// The application has taken the connection and is still in the request.
    void connection_taken();

    /// Answers a request that was refused or did not arrive in time; then the connection must close.
    void refuse(int status, std::string_view detail);
    [[nodiscard]] const http::refusal& refusal() const { return reader_.refused_because(); }

    /// After the response: may the connection carry another request?
    [[nodiscard]] bool reusable() const noexcept;
    /// It may not, and bytes of the client's may be on their way: close gently.
    [[nodiscard]] bool client_may_send() const noexcept;

    // --- app::exchange

    const http::request_head& head() const noexcept override { return reader_.head(); }
    app::connection_info& connection() noexcept override;
    awaitable<result<std::size_t>> read_body(std::span<char> into) override;
    std::optional<result<std::size_t>> try_read_body(std::span<char> into) override;
    awaitable<void> wait_disconnect() override;
    bool head_sent() const noexcept override { return now_.stage == phase::upgraded || writer_.begun(); }
    void respond(std::string body) override;
    awaitable<error_code> send(std::string_view body) override;
    awaitable<error_code> write(std::string_view piece) override;
    std::optional<error_code> try_write(std::string_view piece) override;
    awaitable<error_code> write_rest() override;
    error_code write_in_line(std::string_view piece, bool (*give_up)()) override;
    awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) override;
    awaitable<error_code> finish() override;
    awaitable<result<std::shared_ptr<app::websocket>>> accept_websocket(std::string subprotocol) override;
    std::shared_ptr<app::connection_offer> offer_connection(app::loop_meanwhile loop) override;
    bool disconnected() const noexcept override { return broken_ || now_.ended_for_it; }

  private:
    friend struct fresh_request_probe;

    enum class phase : std::uint8_t { head, streaming, responded, finished, upgraded };

    /// What belongs to one request alone, beside what request_run, reader and writer know. A fresh one takes
    /// its place at the end: nothing of it can be another client's.
    struct of_request {
        std::string body;               // given by respond()
        std::array<iovec, 3> unsent{};  // of it and its head, or of the piece of a try_write
        std::uint64_t unsent_body = 0;  // bytes of the body in that piece
        phase stage = phase::head;
        std::string event_tail;     // of a stream of server-sent events: its last bytes
        bool event_stream = false;  // it is one, without a length
        bool encoded_events = false;
        bool last_event = false;    // it ends with the next one
        bool ended_for_it = false;  // the application knows nothing of the end
        bool body_failed = false;   // nothing more can be read, but an answer can be written
        bool send_late = false;
        bool websocket_failed = false;  // by the application
        std::shared_ptr<websocket_session> websocket;
        std::unique_ptr<worker::handover>
            handover;  // from the offer to the end of the request, or of the offer
    };

    // --- request_run
    std::chrono::nanoseconds lay_unread() const noexcept override;
    bool from_trusted() const noexcept override;
    bool body_read() const noexcept override { return reader_.body_done(); }
    bool may_expire() noexcept override;
    void cancel_handling() noexcept override;
    bool connection_cancelled() const noexcept override;
    void send_hints(const http::response_head& hints) override;
    void handled() noexcept override;
    bool answered() const noexcept override { return broken_ || now_.stage == phase::finished; }
    void cut() noexcept override;
    bool try_conclude() override;
    awaitable<void> conclude() override;

    // --- the response
    /// What goes ahead of it, as far as there is room; nothing when some is left.
    [[nodiscard]] std::optional<error_code> try_interim();
    static void send_expired(aio::deadline& which, void* self) noexcept;
    void begin_response(std::optional<std::uint64_t> body_length);
    void note_overrun(const http::http1_writer::output& made) const;
    [[nodiscard]] bool takes_pieces() const noexcept;
    [[nodiscard]] http::http1_writer::output next_piece(std::string_view piece);
    /// Writes as far as it can without waiting; nothing when it must wait. Drops what it has written.
    [[nodiscard]] std::optional<error_code> try_pieces(std::span<iovec> left);
    awaitable<error_code> write_pieces(std::array<iovec, 3> pieces);
    awaitable<error_code> send_from_file(int fd, std::uint64_t offset, std::uint64_t left);
    awaitable<error_code> wait_writable();
    error_code block_writable(bool (*give_up)());
    error_code sent_too_late() noexcept;
    error_code broken(errc why) noexcept;
    error_code lost(const io_step& why) noexcept;
    [[nodiscard]] bool try_respond();
    awaitable<void> conclude_http();

    // --- server-sent events (http1_event_stream.cpp)
    void watch_event_stream();
    void drain() override;
    void end_behind(http::http1_writer::output& made, std::string_view piece);
    /// False where the response cannot end as if it were whole.
    [[nodiscard]] bool end_event_stream();
    [[nodiscard]] bool has_unsent() const noexcept;
    [[nodiscard]] error_code takes_no_piece() const noexcept;

    // --- the request's body
    awaitable<error_code> await_body_bytes();
    awaitable<std::tuple<error_code>> wait_for_more(bool room);
    [[nodiscard]] bool body_too_long_to_skip() const noexcept;
    awaitable<error_code> skip_body();
    awaitable<error_code> send_continue();
    error_code body_failed(errc why) noexcept;

    // --- what it may turn into
    [[nodiscard]] std::string upgrade_head(std::string_view extensions, std::string_view subprotocol);
    awaitable<void> conclude_websocket();
    void end_websocket() noexcept;
    awaitable<void> conclude_handover();
    void end_handover() noexcept;

    void forget_request() noexcept;

    http1_connection* connection_ = nullptr;
    byte_stream* stream_ = nullptr;
    http::http1_reader reader_;
    http::http1_writer writer_;
    aio::deadline send_deadline_;  // beside the connection's: a body may be read meanwhile
    bool broken_ = false;          // the stream cannot be used any more
    of_request now_;
};

}  // namespace unicoro::worker

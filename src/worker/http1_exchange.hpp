// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "app/exchange.hpp"
#include "http/request_parser.hpp"
#include "http/response_head.hpp"
#include "worker/byte_stream.hpp"
#include "worker/read_buffer.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::worker {

class connection;
class handover;
struct serving;
class websocket_session;

/// One HTTP/1.x request and its response over a byte stream. Pooled: lent to a connection while it is
/// busy, reused request after request.
class http1_exchange final : public app::exchange {
  public:
    explicit http1_exchange(serving& shared);
    ~http1_exchange() override;

    void attach(worker::connection& to) noexcept;
    void detach() noexcept;

    // --- for the connection

    enum class head_step : std::uint8_t { need_more, complete, refused, end };

    /// Reads what is there and parses it; never waits.
    head_step try_read_head();
    /// Bytes of a request that is not whole yet, or of a pipelined one.
    [[nodiscard]] bool has_unread() const noexcept { return !input_.empty(); }

    /// The head is complete: the request runs from here to `end_request`.
    void begin_request();
    void end_request();

    /// The application has taken the connection and is still in the request.
    void connection_taken();
    /// `handle` has returned: where the application took the connection, nothing of ours goes out any more.
    void settle_handover() noexcept;

    /// Writes what the host left to be written. True when nothing is left to wait for.
    [[nodiscard]] bool try_conclude();
    /// The rest of it, waiting where needed.
    awaitable<void> conclude();

    /// Answers a request that was refused or did not arrive in time; then the connection must close.
    void refuse(int status, std::string_view detail);

    /// After the response: may the connection carry another request?
    [[nodiscard]] bool reusable() const noexcept;
    /// Unread request bytes may be on their way: close gently.
    [[nodiscard]] bool body_unread() const noexcept { return !now_.body_done; }
    /// The client would have kept the connection: its next request may be on its way (RFC 9112, 9.6).
    [[nodiscard]] bool kept_by_client() const noexcept { return parser_.head().keep_alive; }
    /// It became something else than HTTP, which is over: the client may still be closing it.
    [[nodiscard]] bool upgraded() const noexcept { return now_.websocket || now_.handover; }

    [[nodiscard]] bool out_of_time() const noexcept { return now_.out_of_time; }
    [[nodiscard]] const http::refusal& refusal() const { return parser_.refused_because(); }

    // --- app::exchange

    const http::request_head& head() const noexcept override { return parser_.head(); }
    app::connection_info& connection() noexcept override;
    aio::task_group& nursery() noexcept override { return nursery_; }
    awaitable<result<std::size_t>> read_body(std::span<char> into) override;
    std::optional<result<std::size_t>> try_read_body(std::span<char> into) override;
    awaitable<void> wait_disconnect() override;
    http::response_head& response() noexcept override { return response_; }
    bool head_sent() const noexcept override { return now_.head_sent; }
    void respond(std::string body) override;
    awaitable<error_code> send(std::string_view body) override;
    awaitable<error_code> write(std::string_view piece) override;
    error_code write_in_line(std::string_view piece, bool (*give_up)()) override;
    awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) override;
    awaitable<error_code> finish() override;
    awaitable<result<std::shared_ptr<app::websocket>>> accept_websocket(std::string subprotocol) override;
    std::shared_ptr<app::connection_offer> offer_connection(app::loop_meanwhile loop) override;
    void fail(int status, std::string_view detail) override;
    bool disconnected() const noexcept override { return broken_; }
    std::span<const std::string> logged_environ() const noexcept override;
    void log_environ(std::string name, std::string value) override;

  private:
    enum class phase : std::uint8_t { head, streaming, responded, finished, upgraded };

    /// A piece of a body as it goes out: head, chunk framing, what is admitted of the piece.
    struct framed_piece {
        std::array<iovec, 3> pieces{};
        std::size_t count = 1;
        std::size_t admitted = 0;
    };

    /// What belongs to one request alone. A fresh one takes its place at the end: nothing of it can be
    /// another client's.
    struct of_request {
        http::response_plan plan;
        std::size_t out_sent = 0;     // of out_ and body_ together
        std::string_view pending;     // request body bytes decoded, not yet handed out
        std::size_t examined = 0;     // unread bytes the parser has seen without a whole head
        std::uint64_t body_sent = 0;  // without chunk framing
        std::uint64_t body_received = 0;
        std::int64_t started = 0;  // monotonic nanoseconds
        std::uint32_t ledger_entry = 0;
        phase stage = phase::head;
        bool running = false;
        bool head_sent = false;
        bool body_done = true;
        bool continue_due = false;
        bool body_failed = false;  // nothing more can be read, but an answer can be written
        bool out_of_time = false;
        bool send_late = false;
        bool overrun_logged = false;
        bool websocket_failed = false;  // by the application
        std::shared_ptr<websocket_session> websocket;
        std::unique_ptr<worker::handover>
            handover;  // from the offer to the end of the request, or of the offer
        std::vector<std::pair<std::string, std::string>> environ;
    };

    static void request_expired(aio::deadline& which, void* self) noexcept;
    static void send_expired(aio::deadline& which, void* self) noexcept;

    void make_head(std::optional<std::uint64_t> body_length);
    [[nodiscard]] bool body_too_long_to_skip() const noexcept;
    /// Clips a piece to what Content-Length still allows.
    [[nodiscard]] std::string_view admit(std::string_view piece);
    [[nodiscard]] io_step try_write_whole(std::string_view body);
    [[nodiscard]] bool takes_pieces() const noexcept;
    [[nodiscard]] framed_piece frame(std::string_view piece);
    /// Writes as far as it can without waiting; nothing when it must wait. Drops what it has written.
    [[nodiscard]] std::optional<error_code> try_pieces(std::span<iovec> left);
    awaitable<error_code> write_pieces(std::array<iovec, 3> pieces, std::size_t count);
    awaitable<error_code> wait_writable();
    error_code block_writable(bool (*give_up)());
    error_code sent_too_late() noexcept;
    awaitable<error_code> await_body_bytes();
    awaitable<std::tuple<error_code>> wait_for_more(bool room);
    result<std::size_t> take_body(std::span<char> into);
    void note_length_reached() noexcept;
    awaitable<error_code> skip_body();
    awaitable<error_code> send_continue();
    error_code broken(errc why) noexcept;
    error_code body_failed(errc why) noexcept;
    void make_upgrade_head(std::string_view negotiated, std::string_view subprotocol);
    awaitable<void> conclude_websocket();
    void end_websocket() noexcept;
    awaitable<void> conclude_handover();
    void end_handover() noexcept;
    void write_access_line() const;
    void forget_request() noexcept;

    serving& shared_;
    aio::task_group nursery_;
    worker::connection* connection_ = nullptr;
    byte_stream* stream_ = nullptr;
    read_buffer input_;
    http::request_parser parser_;
    http::response_head response_;
    std::string out_;   // the head, then what frames a chunk
    std::string body_;  // given by respond()
    aio::deadline request_deadline_;
    aio::deadline send_deadline_;  // beside the connection's: a body may be read meanwhile
    bool broken_ = false;          // the stream cannot be used any more
    of_request now_;
};

}  // namespace unicoro::worker

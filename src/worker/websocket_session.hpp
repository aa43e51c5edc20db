// SPDX-License-Identifier: MIT
#pragma once

#include "aio/bell.hpp"
#include "aio/deadline.hpp"
#include "app/websocket.hpp"
#include "http/request_head.hpp"
#include "http/websocket_codec.hpp"
#include "worker/byte_flow.hpp"
#include "worker/upgrade.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::worker {

struct serving;

/// A WebSocket while it lives, over whatever carries its bytes: keeps reading, as far as the host receives,
/// queues what it sends, pings, closes. Made by an exchange, which must `abandon` it before its flow goes;
/// the coroutines that read and write, and who holds it in the application, keep what is left of it.
class websocket_session final : public app::websocket,
                                public upgrade,
                                public std::enable_shared_from_this<websocket_session> {
  public:
    /// `early` are bytes that came behind the handshake; `target` is for the log and lives until `abandon`.
    websocket_session(serving& shared, byte_flow& flow, std::string early, std::string_view target);

    // --- for the exchange

    /// Negotiates; returns the Sec-WebSocket-Extensions of the answer, empty = none.
    [[nodiscard]] std::string negotiate(const http::request_head& head);
    /// The answer is sent, or goes out before what is written from now on: messages may flow.
    void open();
    /// Closes with 1012.
    void drain() override;
    /// Closes with `code` if it is open, and waits until it has ended.
    awaitable<void> conclude(std::uint16_t code);
    /// The flow goes away.
    void abandon() noexcept;
    /// What carries it can still be closed gently.
    [[nodiscard]] bool ended_in_peace() const noexcept;
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return sent_; }

    // --- app::websocket

    awaitable<std::optional<app::websocket_message>> receive() override;
    std::optional<app::websocket_message> try_receive() override;
    awaitable<error_code> send(app::websocket_message message) override;
    error_code post(app::websocket_message message) override;
    std::size_t unsent() const noexcept override { return outbox_bytes_; }
    bool all_sent() const noexcept override { return written_ == posted_; }
    awaitable<error_code> flush() override;
    error_code close(std::uint16_t code, std::string_view reason) override;
    void give_up(std::uint16_t code, std::string_view reason) override;
    bool is_open() const noexcept override { return !ended_ && close_frame_.empty() && !close_begun_; }
    const std::optional<app::websocket_close>& ended() const noexcept override { return ended_; }

  private:
    using outgoing = std::list<app::websocket_message>;
    enum class cargo : std::uint8_t { control, part, message, close };
    enum class progress : std::uint8_t { all, some, blocked };

    static void ping_expired(aio::deadline& which, void* self) noexcept;
    static void close_expired(aio::deadline& which, void* self) noexcept;
    static void send_expired(aio::deadline& which, void* self) noexcept;

    void read_on();
    awaitable<void> keep_reading(std::shared_ptr<websocket_session> self);
    [[nodiscard]] bool reads() const noexcept;
    /// False when nothing more is there.
    bool read_some();
    void decode(std::span<char>& input);
    void deliver();
    void pong_came();
    void peer_closes();
    void peer_fails(std::uint16_t code);

    void write_on();
    awaitable<void> keep_writing(std::shared_ptr<websocket_session> self);
    progress write_some();
    [[nodiscard]] bool between_frames() const noexcept { return out_used_ == out_.size() + body_.size(); }
    bool next_frame();
    void frame_written();
    void ping_written();
    void forget(outgoing::iterator first, outgoing::iterator last) noexcept;
    void forget_unwritten() noexcept;
    void keep_last_words() noexcept;

    void begin_close(std::uint16_t code, std::string_view reason);
    void ping_is_due();
    void break_off();
    void end(app::websocket_close how);

    serving& shared_;
    byte_flow* flow_;  // none when it was broken off
    std::string_view target_;
    aio::bell arrived_;  // a message, or the end
    aio::bell left_;     // something was written or has ended

    std::optional<http::websocket_decoder> decoder_;
    std::string unread_;  // bytes that came and are not decoded
    std::size_t unread_used_ = 0;
    std::uint64_t received_ = 0;
    std::list<app::websocket_message> inbox_;
    std::size_t inbox_bytes_ = 0;

    std::optional<http::websocket_encoder> encoder_;
    outgoing outbox_;  // the first one may be partly written
    std::size_t outbox_bytes_ = 0;
    std::uint64_t posted_ = 0;  // messages
    std::uint64_t written_ = 0;
    std::string control_;    // frames that go out between those of messages
    std::string out_;        // what is being written, and
    std::string_view body_;  // what follows it, of the first message
    std::size_t out_used_ = 0;
    cargo carried_ = cargo::control;
    std::uint64_t sent_ = 0;

    aio::deadline ping_limit_;  // until the next ping, or until its pong
    aio::deadline close_limit_;
    aio::deadline send_limit_;  // while the client takes nothing
    std::uint64_t received_at_ping_ = 0;
    std::string close_frame_;                      // goes out behind all else
    std::optional<app::websocket_close> outcome_;  // how it ends once the close frame is sent
    std::optional<app::websocket_close> ended_;
    bool reading_ = false;  // its coroutine runs
    bool writing_ = false;
    bool failed_ = false;  // nothing but the close frame goes out any more
    bool close_begun_ = false;
    bool close_sent_ = false;
    bool pinging_ = false;  // the ping is not yet written
    bool awaiting_pong_ = false;
};

}  // namespace unicoro::worker

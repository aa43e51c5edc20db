// SPDX-License-Identifier: MIT
#pragma once

#include "aio/bell.hpp"
#include "aio/deadline.hpp"
#include "app/websocket.hpp"
#include "worker/upgrade.hpp"
#include "worker/websocket_engine.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::worker {

class byte_stream;
class websocket_transport;
struct serving;

/// A WebSocket while it lives: keeps reading, as far as the host receives, queues what it sends, pings,
/// closes. Made by an exchange, which must `abandon` it before its stream goes; operations that still
/// run, and who holds it in the application, keep what is left of it.
class websocket_session final : public app::websocket,
                                public upgrade,
                                public websocket_events,
                                public std::enable_shared_from_this<websocket_session> {
  public:
    /// `target` is for the log and lives until `abandon`.
    websocket_session(serving& shared, byte_stream& stream, std::string early, std::string_view target);
    ~websocket_session() override;

    // --- for the exchange

    /// Negotiates; returns the fields for the 101 that depend on it, each with CRLF.
    awaitable<std::string> negotiate(const http::request_head& head);
    /// The 101 is sent: messages may flow.
    void open();
    /// Closes with 1012.
    void drain() override;
    /// Closes with `code` if it is open, and waits until it has ended.
    awaitable<void> conclude(std::uint16_t code);
    /// The stream goes away.
    void abandon() noexcept;
    /// The stream can still be closed gently.
    [[nodiscard]] bool ended_in_peace() const noexcept;
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept;

    // --- app::websocket

    awaitable<std::optional<app::websocket_message>> receive() override;
    std::optional<app::websocket_message> try_receive() override;
    awaitable<error_code> send(app::websocket_message message) override;
    error_code post(app::websocket_message message) override;
    std::size_t unsent() const noexcept override { return outbox_bytes_; }
    awaitable<error_code> flush() override;
    error_code close(std::uint16_t code, std::string_view reason) override;
    void give_up(std::uint16_t code, std::string_view reason) override;
    bool is_open() const noexcept override { return !ended_ && !close_wanted_ && !peer_closes_; }
    const std::optional<app::websocket_close>& ended() const noexcept override { return ended_; }

  private:
    void on_accepted(error_code ec) override;
    void on_read(error_code ec, std::size_t bytes) override;
    void on_written(error_code ec) override;
    void on_pinged(error_code ec) override;
    void on_closed(error_code ec) override;
    void on_pong() override;
    void on_peer_closes() override;

    static void ping_expired(aio::deadline& which, void* self) noexcept;
    static void close_expired(aio::deadline& which, void* self) noexcept;

    [[nodiscard]] bool busy() const noexcept {
        return accepting_ || reading_ || writing_ || pinging_ || closing_;
    }
    [[nodiscard]] bool room() const noexcept;
    void read_on();
    void deliver();
    void write_on();
    void say_last_words();
    void forget_unwritten() noexcept;
    void begin_close(std::uint16_t code, std::string_view reason);
    void ping_is_due();
    /// Tells the peer why, if nothing else is being written, and breaks off.
    void fail(std::uint16_t code, std::string_view reason);
    void fail_for_payload();
    void break_off();
    void end(app::websocket_close how);

    serving& shared_;
    std::string_view target_;
    std::shared_ptr<websocket_transport> transport_;
    std::optional<websocket_engine> engine_;
    aio::bell arrived_;     // a message, or the end
    aio::bell left_;        // something was written or has ended
    std::string incoming_;  // the message that is being read; its end is spare room
    std::size_t incoming_size_ = 0;
    std::list<app::websocket_message> inbox_;
    std::size_t inbox_bytes_ = 0;
    std::list<app::websocket_message> outbox_;  // the first one is being written
    std::size_t outbox_bytes_ = 0;
    std::uint64_t posted_ = 0;  // messages
    std::uint64_t written_ = 0;
    aio::deadline ping_limit_;  // until the next ping, or until its pong
    aio::deadline close_limit_;
    std::uint64_t received_at_ping_ = 0;
    std::optional<app::websocket_close> close_wanted_;
    std::optional<app::websocket_close> ended_;
    std::uint16_t failed_with_ = 0;  // why it was closed here, if for a mistake of the peer
    bool accepting_ = false;
    bool reading_ = false;
    bool writing_ = false;
    bool pinging_ = false;
    bool closing_ = false;
    bool peer_closes_ = false;  // its close frame has come: nothing more can be sent
    bool awaiting_pong_ = false;
};

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "app/websocket.hpp"
#include "http/request_head.hpp"

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace unicoro::worker {

class websocket_transport;

/// What a websocket_engine tells whom it works for. Never called from within a call to it. `on_pong` and
/// `on_peer_closes` come in the middle of a read.
class websocket_events {
  public:
    virtual ~websocket_events() = default;

    virtual void on_accepted(error_code ec) = 0;
    virtual void on_read(error_code ec, std::size_t bytes) = 0;
    virtual void on_written(error_code ec) = 0;
    virtual void on_pinged(error_code ec) = 0;
    virtual void on_closed(error_code ec) = 0;
    virtual void on_pong() = 0;
    virtual void on_peer_closes() = 0;
};

struct websocket_options {
    std::uint64_t message_limit = 0;  ///< bytes, decompressed; 0 = any
    bool compress = false;            ///< permessage-deflate, where the client offers it
};

/// The protocol (RFC 6455, 7692) over a transport, by Beast, which is included by its source file
/// alone: it is slow to compile. One read, one write, one ping and one close may run at a time; each
/// holds `to` until it has ended.
class websocket_engine {
  public:
    websocket_engine(
        std::shared_ptr<websocket_transport> over,
        const websocket_options& options,
        std::weak_ptr<websocket_events> hearer
    );
    ~websocket_engine();

    using owner = std::shared_ptr<websocket_events>;

    /// Answers a valid handshake. Writes what Beast would send, for the transport to discard, and
    /// returns the fields that matter of it, each with CRLF: sending the head is the exchange's.
    [[nodiscard]] std::string accept(const http::request_head& head, owner to);
    /// Reads some bytes of a message, or a control frame.
    void read(asio::mutable_buffer into, owner to);
    void write(app::websocket_message::kind type, std::string_view data, owner to);
    void ping(owner to);
    void close(std::uint16_t code, std::string_view reason, owner to);

    /// After a read: was that the end of a message, and is it text?
    [[nodiscard]] bool message_done() const noexcept;
    [[nodiscard]] bool text() const noexcept;

    /// The peer's close frame; code 1005 when that had none.
    [[nodiscard]] app::websocket_close peer_close() const;
    /// What the error of a read means.
    [[nodiscard]] app::websocket_close meaning_of(error_code ec) const;
    /// The engine has failed without telling the peer: a close frame with that code is due.
    [[nodiscard]] static bool silent_failure(error_code ec) noexcept;

  private:
    struct beast_stream;
    std::unique_ptr<beast_stream> stream_;
};

}  // namespace unicoro::worker

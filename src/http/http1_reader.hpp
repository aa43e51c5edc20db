// SPDX-License-Identifier: MIT
#pragma once

#include "http/read_buffer.hpp"
#include "http/request_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace unicoro::http {

/// Reads the HTTP/1.x requests of one connection after another: bytes in, a head and pieces of its body
/// out. Knows no socket; who has one asks `space` where the next bytes go and tells `received`.
class http1_reader {
  public:
    explicit http1_reader(const policy& rules) : parser_(rules) {}

    // --- bytes in

    /// Room for the next bytes; none where a body's framing fills the buffer.
    [[nodiscard]] std::span<char> space() noexcept;
    void received(std::size_t count) noexcept { input_.received(count); }
    /// Bytes that no head and no body has used: of a request that is not whole yet, or of a pipelined one.
    [[nodiscard]] bool has_unread() const noexcept { return !input_.empty(); }
    [[nodiscard]] std::string_view unread() const noexcept { return input_.unread(); }
    /// They are somebody else's from now on, as those of a WebSocket.
    void give_away_unread() noexcept { input_.use(input_.unread().size()); }

    // --- the head

    using head_status = request_parser::head_status;

    /// Everything there was looked at: only more bytes bring the head on.
    [[nodiscard]] bool head_wants_bytes() const noexcept { return input_.unread().size() == now_.examined; }
    /// Where the next bytes of a head go: there is always room.
    [[nodiscard]] std::span<char> head_space();
    head_status read_head(peer sender);

    /// After `complete` and until `next`.
    [[nodiscard]] const request_head& head() const noexcept { return parser_.head(); }
    /// After `refused`, of the head or the body.
    [[nodiscard]] const refusal& refused_because() const noexcept { return parser_.refused_because(); }

    // --- its body

    enum class body_status : std::uint8_t { data, need_more, end, malformed, too_large };

    struct body_step {
        body_status status;
        std::size_t bytes;  ///< with `data`: written to `into`
    };

    /// Takes some of the body off what was received.
    body_step read_body(std::span<char> into);

    /// Where the next bytes of the body go when `read_body` needs more: straight to the reader of a body of
    /// known length. Empty where framing fills the buffer and can never be understood.
    [[nodiscard]] std::span<char> body_space(std::span<char> into) noexcept;
    /// So many came there. Gives how many of them `into` has now.
    std::size_t received_body(std::size_t count) noexcept;

    [[nodiscard]] bool body_done() const noexcept { return now_.body_done; }
    /// Of a body of known length, what has not come yet; 0 where the length is not known.
    [[nodiscard]] std::uint64_t body_left() const noexcept;

    /// The client waits for "100 Continue" (RFC 9110, 10.1.1).
    [[nodiscard]] bool continue_due() const noexcept { return now_.continue_due; }
    void continue_sent() noexcept { now_.continue_due = false; }

    // --- ends

    /// The request is over: what is unread begins the next.
    void next() noexcept;
    /// The connection is over.
    void clear();

  private:
    friend struct fresh_request_probe;

    struct of_request {
        std::string_view pending;    // body bytes decoded, not yet handed out
        std::size_t examined = 0;    // unread bytes the parser has seen without a whole head
        std::uint64_t received = 0;  // of the body
        bool body_done = true;
        bool continue_due = false;

        bool operator==(const of_request&) const = default;
    };

    void begin_body() noexcept;
    void count_body(std::size_t count) noexcept;
    [[nodiscard]] bool length_known() const noexcept { return head().framing == body_framing::length; }

    read_buffer input_;
    request_parser parser_;
    of_request now_;
};

}  // namespace unicoro::http

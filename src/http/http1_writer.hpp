// SPDX-License-Identifier: MIT
#pragma once

#include "http/response_head.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::http {

/// How the end of a response body is marked (RFC 9112, 6.3).
enum class response_framing : std::uint8_t {
    no_body,      ///< HEAD, 1xx, 204, 304: body bytes are dropped
    length,       ///< Content-Length
    chunked,      ///< HTTP/1.1 without a known length
    until_close,  ///< HTTP/1.0 without a known length
};

/// What the connection knows that the head must reflect.
struct response_context {
    http::version request_version = version::http_1_1;
    bool head_request = false;
    bool keep_alive = true;                    ///< client and server both willing
    std::optional<std::uint64_t> body_length;  ///< the whole body is known
    std::string_view date;                     ///< IMF-fixdate (RFC 9110, 5.6.7)
    std::string_view server;                   ///< empty = no Server field
};

struct response_plan {
    response_framing framing = response_framing::no_body;
    std::optional<std::uint64_t> length;  ///< with response_framing::length, also on HEAD
    bool keep_alive = false;

    bool operator==(const response_plan&) const = default;
};

/// How a response is to be framed. Of HTTP/2, `chunked` is a body without a known length.
[[nodiscard]] response_plan plan_response(
    const response_head& head, const response_context& context
) noexcept;

/// Frames HTTP/1.x responses, one after another: a head and pieces of its body in, the bytes to send out.
/// Knows no socket. What it gives is made of views of itself, of the piece given and of static text, good
/// until the next call; who asks for it sends all of it, in that order.
class http1_writer {
  public:
    struct output {
        std::array<std::string_view, 3> parts;
        std::uint64_t body_bytes = 0;  ///< how many of them are the body's
        bool overrun = false;          ///< bytes beyond Content-Length are dropped, for the first time
    };

    /// Forgets the response. Gives back what an unusually large one took.
    void reset() noexcept;

    // --- ahead of the response (RFC 9110, 15.2)

    /// Adds an interim response "103 Early Hints" (RFC 8297) to what goes out first; its status and length do
    /// not count. Before `begin`; dropped where much of that is unsent already.
    void add_hints(const response_head& hints);
    /// What is left of it; `begin` puts it in front of the head.
    [[nodiscard]] std::string_view interim() const noexcept { return {out_.data(), now_.interim}; }
    void interim_sent(std::size_t count) noexcept;

    /// The head is final. A Content-Length of the application wins over context.body_length.
    void begin(const response_head& head, const response_context& context);
    [[nodiscard]] bool begun() const noexcept { return now_.begun; }
    [[nodiscard]] const response_plan& plan() const noexcept { return now_.plan; }

    // --- once it has begun; the head is in the first of these

    /// The whole body, whose length `begin` was told.
    [[nodiscard]] output whole(std::string_view body);
    /// A piece of it. Not an empty one, which would look like the end where it is a chunk.
    [[nodiscard]] output piece(std::string_view bytes);

    /// `count` bytes of it that come from elsewhere: `before` and `behind` go around `admitted` of them.
    struct surroundings {
        std::string_view before;
        std::uint64_t admitted;
        std::string_view behind;
    };
    [[nodiscard]] surroundings around(std::uint64_t count);

    /// Turns a piece, the latest one, into the last: what marks the end of the body goes with it.
    void make_last(output& piece) const noexcept;
    /// What marks the end of the body; often nothing.
    [[nodiscard]] std::string_view end() const noexcept;
    /// The body is over and has fewer bytes than Content-Length said: the client must not take it for whole.
    [[nodiscard]] bool is_short() const noexcept;
    [[nodiscard]] std::uint64_t body_bytes() const noexcept { return now_.body_bytes; }

  private:
    friend struct fresh_request_probe;

    struct of_response {
        response_plan plan;
        std::uint64_t body_bytes = 0;  // given out
        std::size_t interim = 0;       // bytes of out_, until it begins
        bool begun = false;
        bool head_due = false;  // out_ holds the head, which was not given out
        bool overran = false;

        bool operator==(const of_response&) const = default;
    };

    [[nodiscard]] std::uint64_t admit(std::uint64_t count) noexcept;
    void clear_sent();

    std::string out_;  // the head, then what frames a chunk
    of_response now_;
};

}  // namespace unicoro::http

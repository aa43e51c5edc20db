// SPDX-License-Identifier: MIT
#pragma once

#include "http/field_rules.hpp"
#include "http/policy.hpp"
#include "http/response_head.hpp"
#include "http2/flood_guard.hpp"
#include "http2/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct nghttp2_session;

namespace unicoro::http2 {

/// What a client with prior knowledge begins with (RFC 9113, 3.4), as far as HTTP/1.x reads it as a line.
inline constexpr std::string_view preface_line = "PRI * HTTP/2.0\r\n";

/// RFC 9113, 7.
enum class error : std::uint32_t {
    none = 0,
    protocol_error = 1,
    internal_error = 2,
    refused_stream = 7,
    cancel = 8,
    enhance_your_calm = 11,
};

/// What is announced to clients (RFC 9113, 6.5.2).
struct bounds {
    std::uint32_t max_concurrent_streams = 100;
    std::uint32_t initial_window_size = 65535;
    std::uint32_t max_frame_size = 16384;
    std::uint32_t max_header_list_size = 65536;
    bool websockets = false;  ///< RFC 8441, 3
};

/// Fields of a response, as response_head and its carrier make them.
struct response_fields {
    const http::response_head* head = nullptr;
    std::string_view server = {};
    std::string_view date = {};
    std::optional<std::uint64_t> length = {};
};

/// Who uses a session: has its streams. All calls come from within one of the session, which must not be
/// called from there.
class session_user {
  public:
    /// A request begins to come. Null: it is refused as not begun (REFUSED_STREAM).
    virtual stream* begin_stream(std::int32_t id) = 0;
    /// Its head is whole and judged.
    virtual void head_came(stream& which) = 0;
    /// It has ended before that: nothing refers to it any more.
    virtual void drop(stream& which) noexcept = 0;
    /// The client has answered the PING of `announce_end`.
    virtual void end_announced() noexcept = 0;

  protected:
    ~session_user() = default;
};

/// The server's side of a connection of HTTP/2 (RFC 9113) without I/O: bytes in, streams and bytes out. What
/// nghttp2 does is framing, HPACK, the states of streams, flow control and the grammar of messages; here are
/// the rules of requests and responses, the giving back of windows, and what ends a client that floods.
/// Owned by the connection. Streams are their user's: every one that was begun comes back by `drop`, is
/// `closed`, or is forgotten by `forget`, before it may go.
class session {
  public:
    using clock = flood_guard::time (*)() noexcept;

    /// `user` and `rules` live longer. Throws std::bad_alloc.
    session(session_user& user, const http::policy& rules, const bounds& limits, clock now);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    /// Whom the requests come from, before any comes. What it refers to lives longer.
    void comes_from(http::peer sender) noexcept { sender_ = sender; }

    /// Bytes of the client. False when no more may come, for a reason that `complaint` has: what is left to
    /// say goes out, and no stream goes on.
    bool receive(std::string_view bytes);
    /// Nothing more is to be read or written.
    [[nodiscard]] bool over() const noexcept;
    /// What the client did that has ended it, for the log; empty = nothing.
    [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }
    /// It has begun as HTTP/2 does.
    [[nodiscard]] bool met() const noexcept { return met_; }

    /// Appends what is to be sent, up to about `most` bytes.
    void output(std::string& into, std::size_t most);

    /// A head is on its way: begun, and not whole.
    [[nodiscard]] bool head_comes() const noexcept { return coming_ != nullptr; }

    // --- of streams that are not closed; of others these do nothing

    /// The body that has come, and gives the client room for as much more.
    std::size_t take(stream& of, std::span<char> into);
    /// An interim response (RFC 9110, 15.2). Nothing where the client reads nothing.
    void interim(stream& to, int status, const http::response_head* fields);
    enum class body : bool { none, follows };
    void begin_response(stream& to, const response_fields& fields, body comes);
    /// More of the body, which stays where it is until `output_taken`; nothing else is given before.
    void give(stream& to, std::string_view piece);
    /// What was given and is not taken must not be touched any more.
    void withdraw(stream& from) noexcept { from.output_ = {}; }
    /// Nothing more comes.
    void end(stream& which);
    void reset(stream& which, error why);
    /// It may go: nothing refers to it any more. One that is not closed is reset.
    void forget(stream& which);

    // --- ends (RFC 9113, 6.8)

    /// Says that no more streams will be taken soon, and asks for an answer.
    void announce_end();
    /// Takes no more streams.
    void end();
    /// At once, whatever runs.
    void abort(error why);

  private:
    friend struct callbacks;

    struct deleter {
        void operator()(nghttp2_session* which) const noexcept;
    };

    /// The client goes too far. Gives what a callback of nghttp2 returns then.
    int give_up(std::string_view rule);
    [[nodiscard]] bool admit(burden what) noexcept;
    /// It was ended by a GOAWAY with that error.
    int said_why(std::uint32_t error) noexcept;
    void give_back(stream& of, std::size_t count);
    void drop_input(stream& of);

    session_user& user_;
    http::field_rules fields_;
    http::peer sender_;
    bounds bounds_;
    clock now_;
    std::unique_ptr<nghttp2_session, deleter> native_;
    flood_guard floods_;
    std::string complaint_;
    stream* coming_ = nullptr;
    std::size_t most_held_;
    std::size_t held_ = 0;      // bytes of all streams that were not taken
    std::size_t withheld_ = 0;  // of the connection's window, not given back for that
    bool met_ = false;
    bool failed_ = false;
    std::string_view flood_;  // a rule broken where it could not be told
};

}  // namespace unicoro::http2

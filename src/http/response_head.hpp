// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"

#include <unicoro/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
};

/// A response head under construction: status, fields, then `serialize`. Every name and value is
/// checked when added, so nothing an application says can split a response (RFC 9110, 5.5).
/// The connection owns framing and hop-by-hop fields: Connection is read for "close", and Server,
/// Date, Transfer-Encoding, Keep-Alive, Trailer and Proxy-* are dropped.
class response_head {
  public:
    /// Back to 200 without fields. Keeps its memory.
    void reset() noexcept;

    /// `reason` empty takes the standard phrase. Fails with errc::invalid_status.
    [[nodiscard]] error_code set_status(int code, std::string_view reason = {});
    /// Fails with errc::invalid_header and leaves the head unchanged.
    [[nodiscard]] error_code add(std::string_view name, std::string_view value);

    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept { return length_; }
    [[nodiscard]] bool close_requested() const noexcept { return close_; }
    /// The fields kept, for the access log; views into this object. Appends to `out`.
    void list_fields(std::vector<field>& out) const;

    /// Appends the wire form, from the status line to the empty line, to `out`. A Content-Length of
    /// the application wins over context.body_length.
    response_plan serialize(const response_context& context, std::string& out) const;

  private:
    error_code set_length(std::string_view digits);
    [[nodiscard]] response_plan plan(const response_context& context) const noexcept;
    void append_status_line(std::string& out) const;

    int status_ = 200;
    bool close_ = false;
    std::optional<std::uint64_t> length_;
    std::string length_text_;  // of length_, for list_fields
    std::string reason_;       // empty = the standard phrase
    std::string block_;        // "Name: value\r\n" for each field kept
};

/// The standard reason phrase, or "Unknown".
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// Whether a response of that status has a body: not 1xx, 204 and 304 (RFC 9112, 6.3).
[[nodiscard]] bool body_allowed(int status) noexcept;

/// gunicorn's small HTML error page; `detail` is escaped here.
[[nodiscard]] std::string error_page(int status, std::string_view detail);

/// Writes "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string imf_fixdate(std::int64_t unix_seconds);

/// Appends the chunk header of `size` bytes, "1a\r\n" (RFC 9112, 7.1).
void append_chunk_header(std::string& out, std::uint64_t size);

}  // namespace unicoro::http

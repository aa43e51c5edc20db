// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"
#include "http/refusal.hpp"
#include "http/request_head.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace unicoro::http {

/// HTTP/1.x request parser without I/O: one object per connection or pooled, reused with `reset`.
/// Strict as design section 5; a subclass of beast::http::basic_parser does the scanning.
class request_parser {
  public:
    explicit request_parser(const policy& rules);
    ~request_parser();
    request_parser(const request_parser&) = delete;
    request_parser& operator=(const request_parser&) = delete;

    /// Ready for the next request of a connection. Keeps its memory.
    void reset();

    enum class head_status { need_more, complete, refused };

    /// Looks for a whole head at the start of `input`, the same bytes and more on each call until
    /// it is complete or refused. Limits are enforced while it is incomplete: `refused` comes as
    /// soon as the bytes seen cannot become an acceptable head. After `complete`, `head_size` bytes
    /// belong to the head and must stay in place as long as `head` is used.
    head_status parse_head(std::string_view input, peer sender);
    [[nodiscard]] std::size_t head_size() const noexcept;
    [[nodiscard]] const request_head& head() const noexcept;

    /// The reason of the last `refused`.
    [[nodiscard]] const refusal& refused_because() const noexcept;

    enum class body_status { need_more, data, complete, refused };

    struct body_step {
        body_status status;
        std::size_t consumed;   ///< bytes of input done with, framing included
        std::string_view data;  ///< body bytes inside input, with `data`
    };

    /// Takes the next piece of the body off `input`. `data` may come many times, `complete` once;
    /// a body without bytes is `complete` at once. Trailer fields are checked for size and dropped
    /// (RFC 9110, 6.5.1). Refuses with 400 (framing) or 413 (limit_request_body).
    body_step decode_body(std::string_view input);

  private:
    class scanner;
    std::unique_ptr<scanner> scanner_;
};

}  // namespace unicoro::http

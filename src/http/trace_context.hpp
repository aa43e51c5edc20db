// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"
#include "http/request_head.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// True for a traceparent that can be gone on with (Trace Context, 3.2.2): of version 00, or of a later one
/// as far as that begins alike.
[[nodiscard]] bool is_traceparent(std::string_view value) noexcept;

/// The trace of such a value, in hexadecimal digits; empty for any other text.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent) noexcept;

/// Keeps the field that it has made. One per reader of requests, used again for the next request.
class trace_fields {
  public:
    /// Brings the fields of a request in order: one traceparent that is valid, or none, and no tracestate
    /// without it (Trace Context, 3.3). A trace that is begun here is marked as sampled, so that who goes on
    /// with it records it. A made field lives until the next call.
    void settle(trace_policy how, std::vector<field>& fields);

  private:
    static constexpr std::size_t length = 55;
    [[nodiscard]] bool make() noexcept;
    std::array<char, length> made_{};
};

}  // namespace unicoro::http

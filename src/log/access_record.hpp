// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace unicoro::log {

using field_view = std::pair<std::string_view, std::string_view>;

/// What one finished request has to say to the access log. Views must live until `write` returns.
struct access_record {
    std::string_view remote_address;  ///< empty on unix sockets
    std::string_view user;            ///< of Basic authentication; empty = none
    std::chrono::system_clock::time_point finished;
    std::string_view method;
    std::string_view target;  ///< request-target as received
    std::string_view path;    ///< target without the query
    std::string_view query;
    std::string_view protocol;  ///< "HTTP/1.1"
    int status = 0;
    std::uint64_t body_bytes = 0;                    ///< sent, without chunk framing
    std::chrono::nanoseconds duration{};             ///< from head parsed to response written
    std::optional<std::chrono::nanoseconds> waited;  ///< before the application saw it, where measured
    std::optional<std::chrono::nanoseconds>
        first_byte;                                    ///< of the response, from head parsed, where measured
    std::optional<std::chrono::nanoseconds> cpu_time;  ///< that the application used, where that is known
    std::span<const field_view> request_fields;
    std::span<const field_view> response_fields;
    std::span<const field_view> environ_fields;  ///< WSGI environ strings, if the app has them
};

}  // namespace unicoro::log

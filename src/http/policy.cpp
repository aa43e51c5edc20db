// SPDX-License-Identifier: MIT
#include "http/policy.hpp"

#include <algorithm>

namespace unicoro::http {
namespace {

constexpr std::size_t most_bytes_of_a_line = 65536;
constexpr std::size_t most_fields = 32768;
// Generous settings multiply to gigabytes; no honest head comes near this.
constexpr std::size_t most_bytes_of_a_head = std::size_t{16} * 1024 * 1024;

}  // namespace

std::size_t policy::request_line_limit() const noexcept {
    return limit_request_line == 0 ? most_bytes_of_a_line : limit_request_line;
}

std::size_t policy::fields_limit() const noexcept {
    return limit_request_fields == 0 ? most_fields : std::min(limit_request_fields, most_fields);
}

std::size_t policy::field_size_limit() const noexcept {
    return limit_request_field_size == 0 ? most_bytes_of_a_line : limit_request_field_size;
}

std::size_t policy::head_limit() const noexcept {
    // The line, its CRLF and the one CRLF that may stand before it.
    const std::size_t line = std::min(request_line_limit(), most_bytes_of_a_head) + 4;
    const std::size_t field_size = std::min(field_size_limit(), most_bytes_of_a_head);
    return std::min(line + fields_limit() * field_size + 2, most_bytes_of_a_head);
}

}  // namespace unicoro::http

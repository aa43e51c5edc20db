// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace unicoro::http {

/// "HTTP/1.1 200 OK" CRLF for a status with a standard phrase, else empty.
[[nodiscard]] std::string_view status_line(int status) noexcept;

}  // namespace unicoro::http

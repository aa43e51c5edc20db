// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "app/open_file.hpp"

#include <string_view>

namespace unicoro::app {

/// How a file is told of. The texts live until it is sent.
struct file_description {
    std::string_view media_type;
    std::string_view coding = {};         ///< Content-Encoding; empty = none
    std::string_view cache_control = {};  ///< of what the file itself is the answer to; empty = none
    bool varies = false;                  ///< by Accept-Encoding: there may be others of the same time
};

/// Answers a GET or HEAD with a file, or with what its conditions (RFC 9110, 13) and ranges (14) make of it:
/// 200, 206 with one part or several, 304, 412 or 416. What stands in the response already is sent with it,
/// and goes before what the file is told to be; Last-Modified, ETag and Accept-Ranges are added. `file` is
/// regular.
[[nodiscard]] awaitable<void> answer_with_file(
    exchange& to, const open_file& file, const file_description& about
);

}  // namespace unicoro::app

// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/admin_address.hpp"
#include "cli/commands/trouble.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::cli {

struct http_question {
    const admin_address& to;
    std::string_view path;
    const std::optional<std::string>& token;   ///< not sent over a unix socket, where nobody asks for it
    std::chrono::milliseconds patience;        ///< for all of it but the look-up of a name
    std::span<const int> interrupted_by = {};  ///< descriptors: when one can be read, the answer is given up
};

struct http_answer {
    int status = 0;
    std::string body;
};

/// One GET over a connection of its own, blocking (RFC 9112). An answer of more than 16 MiB is refused.
[[nodiscard]] attempt<http_answer> http_get(const http_question& question);

/// What `http_get` has read, to its end unless `closed` is false: none = there must be more.
[[nodiscard]] std::optional<attempt<http_answer>> read_answer(std::string_view got, bool closed);

/// False where what answers within a second is not HTTP.
[[nodiscard]] bool speaks_http(const admin_address& to);

/// `http_get` of what only a monitor has: the body of its 200, else what is wrong and the remedy.
[[nodiscard]] attempt<std::string> ask_monitor(const http_question& question);

}  // namespace unicoro::cli

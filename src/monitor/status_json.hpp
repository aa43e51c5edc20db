// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/picture.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace unicoro::monitor {

/// The server and its workers at this moment, as a JSON object (docs/monitoring.md).
[[nodiscard]] std::string status_json(const picture& of, std::string_view version, pid_t master, bool ready);

/// The requests in flight; of a target the path alone, since queries carry secrets. What is not printable
/// ASCII is written as \xHH.
[[nodiscard]] std::string requests_json(const requests_view& of);

}  // namespace unicoro::monitor

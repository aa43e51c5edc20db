// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/find_server.hpp"
#include "cli/commands/trouble.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::cli {

/// Longer than any monitor needs.
inline constexpr std::chrono::milliseconds patience_with_monitor{5000};

/// What the monitor of this server says of `path`; the reason where it has none.
[[nodiscard]] attempt<std::string> look(
    const found_server& server, std::string_view path, std::span<const int> interrupted_by = {}
);

}  // namespace unicoro::cli

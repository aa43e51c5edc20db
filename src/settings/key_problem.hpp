// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::settings {

/// Why a key is none that a file or a program may set, and what to do about it; empty for one that is.
[[nodiscard]] std::string key_problem(std::string_view key);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace unicoro::settings {

/// A pattern of JSON Schema that every path prefix matches.
inline constexpr const char* path_prefix_pattern = "^/([^?#]*[^/?#])?$";

/// What is wrong with a path by whose segments requests are told apart, or "".
[[nodiscard]] std::string path_prefix_problem(const std::string& path);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/trouble.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// JSON that a monitor, or what poses as one, has sent: each member is what it should be or as if it were not
/// there.
namespace unicoro::cli {

using nlohmann::ordered_json;

/// Discarded where it is none.
[[nodiscard]] ordered_json parsed(std::string_view json);

[[nodiscard]] const ordered_json* member(const ordered_json& of, const char* name);
/// Null unless it is an array.
[[nodiscard]] const ordered_json* list(const ordered_json& of, const char* name);
[[nodiscard]] std::optional<double> measured(const ordered_json& of, const char* name);
[[nodiscard]] double number(const ordered_json& of, const char* name);
[[nodiscard]] std::int64_t whole(const ordered_json& of, const char* name);
[[nodiscard]] std::string text(const ordered_json& of, const char* name);
[[nodiscard]] bool is_true(const ordered_json& of, const char* name);

/// What is said of JSON that is not `what`.
[[nodiscard]] trouble foreign(const char* what);

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::settings {

/// For a flag that another server has and this one has not: whose it is and what to write here, as the
/// end of a message that begins with the flag. `arguments` are those it stands among.
[[nodiscard]] std::optional<std::string> foreign_flag(
    std::string_view flag, std::span<const std::string> arguments
);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

namespace unicoro::monitor {

/// What `name` is in a query, as it is written; the first of several.
[[nodiscard]] std::optional<std::string_view> parameter(
    std::string_view query, std::string_view name
) noexcept;

}  // namespace unicoro::monitor

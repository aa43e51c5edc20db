// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// What settings say together.
struct verdict {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};

/// Makes `apps` and `app` one: where there are `apps`, `app` is served under "/". The error when
/// "/" has an application already.
[[nodiscard]] std::optional<std::string> join_apps(
    server_settings& settings, const std::function<std::string(std::string_view name)>& where
);

/// Checks rules that concern more than one setting, and that the folders of files exist. `start` is
/// the folder of the start; `where` names the place a setting comes from.
[[nodiscard]] verdict cross_check(
    const server_settings& settings,
    const std::filesystem::path& start,
    const std::function<std::string(std::string_view name)>& where
);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace unicoro::cli {

/// Goes where `chdir` says, seen from where the server was started, or back there; the sentence for the
/// operator when that fails.
[[nodiscard]] std::optional<std::string> enter_directory(
    const std::filesystem::path& start, const settings::server_settings& values
);

}  // namespace unicoro::cli

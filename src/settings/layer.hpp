// SPDX-License-Identifier: MIT
#pragma once

#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// Gives the value of an environment variable, if it is set.
using environment_reader = std::function<std::optional<std::string>(const std::string& name)>;

/// One value as a layer wrote it.
struct assignment {
    const setting* row;
    json value;
    origin from;
};

/// What a command line asks for instead of a server.
struct question {
    action asked;
    std::string subject = {};  ///< the value of its flag, if that takes one
    std::string problem = {};  ///< what is wrong with that value, as a whole sentence
};

/// What one source of settings says, unchecked, and what is wrong with its form.
struct layer {
    std::vector<assignment> values;
    std::vector<std::string> errors;
    std::vector<question> asked;        ///< command lines only
    std::optional<std::string> config;  ///< command lines only: -c
};

/// The last word of layers, the lowest first, on a setting; nullptr when none has one.
[[nodiscard]] const json* last_value(std::span<layer* const> layers, std::string_view key);

/// Reads arguments (without the program's name); `source` is what messages call them.
[[nodiscard]] layer read_command_line(const std::string& source, std::span<const std::string> arguments);

/// Reads the variable UNICORO_CMD_ARGS, split as a shell does.
[[nodiscard]] layer read_command_variable(const environment_reader& environment);

/// Reads a settings file. `name` is what messages call it.
[[nodiscard]] layer read_settings_file(const std::filesystem::path& file, const std::string& name);

/// The defaults that come from PORT, WEB_CONCURRENCY, FORWARDED_ALLOW_IPS, SENDFILE and UNICORO_ADMIN_TOKEN.
[[nodiscard]] layer read_environment(const environment_reader& environment);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/setting.hpp"
#include "settings/settings.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::settings {

/// Everything settings are made from. Kept by the master: `load` with the same request reads the
/// file anew (SIGHUP).
struct load_request {
    std::vector<std::string> arguments;  ///< without the program's name
    std::function<std::optional<std::string>(const std::string& name)> environment;
    std::filesystem::path directory;  ///< the absolute folder of the start
    std::function<int()> count_cpus;  ///< for workers = "auto"
};

/// What came out. `settings` may be used when `errors` is empty; every error of every source is in
/// the list, each a whole sentence that names its source and place.
struct outcome {
    server_settings settings;
    settings::action action = settings::action::run;
    std::vector<std::string> warnings;
    std::vector<std::string> errors;

    [[nodiscard]] bool ok() const noexcept { return errors.empty(); }
};

/// The request of this process: its arguments, environment, folder and CPUs.
[[nodiscard]] load_request request_of_process(int argc, const char* const* argv);

/// Reads all layers: defaults (some from the environment), file, UNICORO_CMD_ARGS, command line.
/// Changes nothing outside; runs in the folder of the start or any other.
[[nodiscard]] outcome load(const load_request& request);

}  // namespace unicoro::settings

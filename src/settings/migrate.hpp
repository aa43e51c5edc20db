// SPDX-License-Identifier: MIT
#pragma once

#include "settings/load.hpp"

#include <string>
#include <vector>

namespace unicoro::settings {

/// What a settings file of gunicorn becomes.
struct migration {
    std::string json;                 ///< the settings file, with a newline at its end
    std::vector<std::string> notes;   ///< what was left out, and why; what was worked out
    std::vector<std::string> errors;  ///< there is no result
};

/// Runs the file (a path, file:PATH or python:MODULE) and makes JSON of it.
[[nodiscard]] migration migrate(const load_request& request, const std::string& location);

}  // namespace unicoro::settings

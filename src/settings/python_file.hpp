// SPDX-License-Identifier: MIT
#pragma once

#include "settings/layer.hpp"
#include "settings/load.hpp"

#include <string>
#include <vector>

namespace unicoro::settings {

/// A settings file of gunicorn, which is a Python program, as a layer, and what its reader should know.
struct python_file {
    layer values;
    std::vector<std::string> warnings;
    std::vector<std::string> left_out;  ///< what it sets that is not used, and why
    /// Settings whose value is worked out by the file, and how: "workers = cpu_count() * 2 + 1".
    std::vector<std::string> computed;
    bool makes_tls_context = false;  ///< by a hook that is not called
    bool has_effects = false;        ///< it did what counts only in the process that serves
};

/// Runs the file. `location` is a path or "python:MODULE", `name` what messages call it, `python` the
/// setting of that name where it was given.
[[nodiscard]] python_file read_python_file(
    const load_request& request,
    const std::string& location,
    const std::string& name,
    const std::string& python
);

/// What the program sets that embeds the server, in the same form; `values` have the application, too.
[[nodiscard]] python_file read_program(const load_request& request);

}  // namespace unicoro::settings

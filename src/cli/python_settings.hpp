// SPDX-License-Identifier: MIT
#pragma once

#include "settings/load.hpp"

#include <iosfwd>
#include <string>

namespace unicoro::cli {

/// The question as the JSON that the file's interpreter is asked with.
[[nodiscard]] std::string question_of(const settings::python_question& asked);

/// Runs a settings file of gunicorn in an interpreter of its own, chosen as for an application, with
/// our standard error.
[[nodiscard]] settings::python_answer run_python_file(const settings::python_question& asked);

/// What --migrate does: the new file on `out`, what to know about it on `err`. Returns the exit code.
[[nodiscard]] int print_migration(
    const settings::load_request& request, const std::string& location, std::ostream& out, std::ostream& err
);

}  // namespace unicoro::cli

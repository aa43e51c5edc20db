// SPDX-License-Identifier: MIT
#pragma once

#include "settings/setting.hpp"
#include "settings/settings.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::settings {

/// A settings file of gunicorn to run, classes to describe, or with neither what the program sets that embeds
/// the server; and the answer in JSON (settings_file.py, program.py of the package) or why there is none.
struct python_question {
    std::string location = {};              ///< an absolute path, or "python:MODULE"
    std::vector<std::string> names = {};    ///< the variables to tell
    std::vector<std::string> classes = {};  ///< without a location: "module.Class"
    std::vector<std::string> path = {};     ///< folders to find modules in, beside `directory`
    std::vector<std::pair<std::string, std::string>> environment = {};  ///< variables that are set there
    std::string python;  ///< the setting `python` where it was given
    std::filesystem::path directory;
    std::vector<std::string> command_line;
};
struct python_answer {
    std::string text;
    std::string problem;
};

/// Everything settings are made from. Kept by the master: `load` with the same request reads the
/// file anew (SIGHUP).
struct load_request {
    std::string program;                 ///< its absolute path, links unresolved
    std::vector<std::string> arguments;  ///< without the program's name
    std::function<std::optional<std::string>(const std::string& name)> environment;
    std::filesystem::path directory;  ///< the absolute folder of the start
    std::function<int()> count_cpus;  ///< for workers = "auto"
    /// Without it such files are refused.
    std::function<python_answer(const python_question& asked)> run_python_file = {};
    /// In a program that embeds the server: what it sets counts, in place of files and flags.
    bool embedded = false;
};

/// What came out. `settings` may be used when `errors` is empty; every error of every source is in
/// the list, each a whole sentence that names its source and place.
struct outcome {
    server_settings settings;
    settings::action action = settings::action::run;
    std::string subject;  ///< of the action, where it has one: the file to migrate, the shell
    std::vector<std::string> warnings;
    std::vector<std::string> errors;

    [[nodiscard]] bool ok() const noexcept { return errors.empty(); }
};

/// `program` and `arguments` as one.
[[nodiscard]] std::vector<std::string> command_line_of(const load_request& request);

/// The request of this process: its environment, folder and CPUs, and this command line, whose first word is
/// the program.
[[nodiscard]] load_request request_of_process(const std::vector<std::string>& command_line);

/// The place of a Python settings file as it is run: "python:MODULE" or an absolute path.
[[nodiscard]] std::string python_location(const load_request& request, const std::string& written);

/// Reads all layers: defaults (some from the environment), file, UNICORO_CMD_ARGS, command line; or defaults
/// and program.
/// Changes nothing outside; runs in the folder of the start or any other.
[[nodiscard]] outcome load(const load_request& request);

}  // namespace unicoro::settings

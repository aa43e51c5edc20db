// SPDX-License-Identifier: MIT
#include "cli/python_finder.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

namespace unicoro::cli {
namespace {

namespace fs = std::filesystem;

os::failure missing(std::string message) {
    return {os::system_error(ENOENT), std::move(message)};
}

bool executable_file(const std::string& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

/// Not canonical: the link in a venv is what tells the interpreter that it is in one.
std::string absolute(const std::string& path) {
    std::error_code failed;
    fs::path full = fs::absolute(path, failed);
    return failed ? path : full.lexically_normal().string();
}

std::string interpreter_in(const std::string& folder) {
    for (const char* name : {"/bin/python", "/bin/python3"}) {
        if (executable_file(folder + name)) return absolute(folder + name);
    }
    return {};
}

/// A folder that venv, virtualenv or conda has made.
bool is_environment(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "pyvenv.cfg", ignored) || fs::exists(folder / "conda-meta", ignored);
}

/// The environments in whose bin the program lies, under its own path and under those it links to.
std::vector<std::string> around(const fs::path& program) {
    constexpr int longest_chain = 40;  // the kernel's
    std::vector<std::string> found;
    fs::path path = program;
    for (int links = 0; links < longest_chain && !path.empty(); ++links) {
        const fs::path folder = path.parent_path().parent_path();
        if (is_environment(folder)) found.push_back(folder.string());
        std::error_code failed;
        const fs::path target = fs::read_symlink(path, failed);
        if (failed) break;
        path = (path.parent_path() / target).lexically_normal();
    }
    return found;
}

std::vector<std::string> beside(const std::vector<std::string>& folders) {
    std::vector<std::string> found;
    for (const std::string& folder : folders) {
        for (const char* name : {".venv", "venv"}) {
            const fs::path candidate = fs::path(folder) / name;
            if (is_environment(candidate)) found.push_back(candidate.string());
        }
    }
    return found;
}

/// The first of these environments that has an interpreter; notes those that have none.
std::string first_of(const std::vector<std::string>& environments, std::vector<std::string>& notes) {
    for (const std::string& each : environments) {
        std::string found = interpreter_in(each);
        if (!found.empty()) return found;
        notes.push_back(
            "the virtual environment " + absolute(each) +
            " has no bin/python that can be run, and is skipped: create it again"
        );
    }
    return {};
}

std::string in_path(std::string_view name) {
    const char* const path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::string folder(rest.substr(0, colon));
        rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
        const std::string candidate = (folder.empty() ? "." : folder) + "/" + std::string(name);
        if (executable_file(candidate)) return absolute(candidate);
    }
    return {};
}

os::outcome<std::string> from_setting(const std::string& value) {
    std::error_code ignored;
    if (fs::is_directory(value, ignored)) {
        std::string found = interpreter_in(value);
        if (!found.empty()) return found;
        return missing(
            "setting python: the folder '" + value +
            "' has no bin/python; make it a virtual environment "
            "with: /usr/bin/python3 -m venv " +
            value
        );
    }
    if (executable_file(value)) return absolute(value);
    if (value.find('/') == std::string::npos) {
        std::string found = in_path(value);
        if (!found.empty()) return found;
    }
    return missing(
        "setting python: '" + value +
        "' is neither an interpreter nor a virtual environment; give the "
        "path of one, such as /usr/bin/python3 or .venv"
    );
}

}  // namespace

python_search search_of(const settings::server_settings& values) {
    python_search where{values.python, {}, {"."}};
    if (!values.command_line.empty()) where.program = values.command_line.front();
    where.folders.insert(where.folders.end(), values.pythonpath.begin(), values.pythonpath.end());
    return where;
}

os::outcome<chosen_python> choose_python(const python_search& where) {
    chosen_python chosen;
    if (!where.setting.empty()) {
        os::outcome<std::string> found = from_setting(where.setting);
        if (!found) return found.error();
        chosen.path = std::move(*found);
        return chosen;
    }
    const char* const active = std::getenv("VIRTUAL_ENV");
    if (active != nullptr && *active != '\0') {
        chosen.path = interpreter_in(active);
        if (!chosen.path.empty()) return chosen;
        return missing(
            std::string("VIRTUAL_ENV names '") + active +
            "', which has no bin/python; leave the virtual "
            "environment (deactivate) or name an interpreter with --python"
        );
    }
    chosen.path = first_of(around(where.program), chosen.notes);
    if (chosen.path.empty()) chosen.path = first_of(beside(where.folders), chosen.notes);
    if (chosen.path.empty()) chosen.path = in_path("python3");
    if (!chosen.path.empty()) return chosen;
    return missing(
        "no Python interpreter: VIRTUAL_ENV is not set, unicoro is not in a virtual environment, there is no "
        ".venv or venv next to the application, and no python3 in PATH; name one with --python (an "
        "interpreter or a virtual environment)"
    );
}

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#include "app/python_finder.hpp"

#include "app/plugin_dir.hpp"
#include "log/log.hpp"

#include <unicoro/abi.hpp>

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace unicoro::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view plugin_prefix = "unicoro_python_";
constexpr std::string_view plugin_suffix = ".so";

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

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::vector<std::string> versions_in(const std::vector<std::string>& folders) {
    std::vector<std::string> versions;
    for (const std::string& folder : folders) {
        std::error_code failed;
        for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
            const std::string name = at->path().filename().string();
            if (!name.starts_with(plugin_prefix) || !name.ends_with(plugin_suffix)) continue;
            versions.push_back(
                name.substr(plugin_prefix.size(), name.size() - plugin_prefix.size() - plugin_suffix.size())
            );
        }
    }
    std::sort(versions.begin(), versions.end());
    versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
    return versions;
}

std::string hint_of_system_python(const python_runtime& runtime) {
    if (runtime.executable == "/usr/bin/python3" || !executable_file("/usr/bin/python3")) return {};
    return " Or use the system's Python: --python /usr/bin/python3.";
}

os::outcome<const plugin_entry*> open_plugin(const python_runtime& runtime, const std::string& path) {
    // Extension modules do not link libpython; they find it only where everyone can see it.
    if (dlopen(runtime.library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* const why = dlerror();
        return missing(
            "cannot load the shared libpython of " + runtime.executable + " (" +
            (why != nullptr ? why : runtime.library) + "). On Debian it is in the package libpython" +
            runtime.version + ": apt-get install libpython" + runtime.version + "." +
            hint_of_system_python(runtime)
        );
    }
    void* const plugin = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
        return missing(std::string("cannot load the Python plugin: ") + dlerror());
    }
    const auto* const entry = static_cast<const plugin_entry*>(dlsym(plugin, plugin_symbol));
    if (entry == nullptr) return missing(path + " is not a plugin of Unicoro");
    if (std::strcmp(entry->abi, abi_tag()) != 0) {
        return missing(
            path + " was built with [" + entry->abi + "], this server with [" + abi_tag() +
            "]; build both together"
        );
    }
    return entry;
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

std::vector<std::string> plugin_folders() {
    std::vector<std::string> folders;
    const char* const chosen = std::getenv("UNICORO_PLUGIN_DIR");
    if (chosen != nullptr && *chosen != '\0') folders.emplace_back(chosen);
    std::error_code failed;
    const fs::path executable = fs::read_symlink("/proc/self/exe", failed);
    if (!failed) {
        folders.push_back((executable.parent_path() / "src" / "python").string());
        folders.push_back(executable.parent_path().string());
    }
    folders.emplace_back(installed_plugin_dir);
    return folders;
}

os::outcome<std::string> find_python_plugin(
    const python_runtime& runtime, const std::vector<std::string>& folders
) {
    std::string name(plugin_prefix);
    name.append(runtime.version).append(plugin_suffix);
    for (const std::string& folder : folders) {
        std::string path = folder + "/" + name;
        std::error_code ignored;
        if (fs::exists(path, ignored)) return path;
    }
    const std::vector<std::string> others = versions_in(folders);
    return missing(
        "no plugin for Python " + runtime.version + " (" + runtime.executable + "): " + name +
        " is in none of " + join(folders) + ". " +
        (others.empty() ? "There is no Python plugin at all."
                        : "There are plugins for Python " + join(others) + ".") +
        " Build one with: meson configure build -Dpython=" + runtime.executable + " && ninja -C build." +
        (others.empty() ? std::string() : hint_of_system_python(runtime))
    );
}

namespace {

/// What was asked last, and the answer: inherited by workers.
struct known_python {
    std::string interpreter;
    python_runtime runtime;
};

std::optional<known_python>& known() {
    static std::optional<known_python> last;
    return last;
}

os::outcome<python_runtime> runtime_of(const std::string& interpreter) {
    if (known() && known()->interpreter == interpreter) return known()->runtime;
    return probe_python(interpreter);
}

/// The plugin for the interpreter of these settings, whose executable they name afterwards.
const plugin_entry* find_plugin(settings::server_settings& values, load_error& error) {
    const auto give_up = [&error](const os::failure& why) {
        error = {boot_failure::worker, "Worker failed to boot: " + why.message};
        return nullptr;
    };
    const os::outcome<chosen_python> interpreter = choose_python(search_of(values));
    if (!interpreter) return give_up(interpreter.error());
    const os::outcome<python_runtime> runtime = runtime_of(interpreter->path);
    if (!runtime) return give_up(runtime.error());
    // Else the master has said so, which as root does not run what belongs to the workers' user.
    if (!known() && geteuid() != 0) log::info("{}", describe(*runtime));
    const os::outcome<std::string> path = find_python_plugin(*runtime, plugin_folders());
    if (!path) return give_up(path.error());
    const os::outcome<const plugin_entry*> entry = open_plugin(*runtime, *path);
    if (!entry) return give_up(entry.error());
    values.python = runtime->executable;
    return *entry;
}

}  // namespace

std::string describe(const python_runtime& runtime) {
    return "Python: " + runtime.executable + " (" + runtime.release + ")";
}

std::optional<python_runtime> remember_python(const settings::server_settings& values) {
    known().reset();
    const os::outcome<chosen_python> interpreter = choose_python(search_of(values));
    if (!interpreter) return std::nullopt;
    for (const std::string& note : interpreter->notes) log::warning("{}", note);
    const os::outcome<python_runtime> runtime = probe_python(interpreter->path);
    if (!runtime) return std::nullopt;
    known().emplace(known_python{interpreter->path, *runtime});
    return *runtime;
}

std::unique_ptr<host> make_python_host(const settings::server_settings& values, load_error& error) {
    settings::server_settings resolved = values;
    const plugin_entry* const entry = find_plugin(resolved, error);
    return entry != nullptr ? entry->make_host(resolved) : nullptr;
}

std::unique_ptr<master_guest> make_python_guest(const settings::server_settings& values, load_error& error) {
    settings::server_settings resolved = values;
    const plugin_entry* const entry = find_plugin(resolved, error);
    return entry != nullptr ? entry->make_master_guest(resolved) : nullptr;
}

}  // namespace unicoro::app

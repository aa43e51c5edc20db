// SPDX-License-Identifier: MIT
#include "cli/become_python.hpp"

#include "cli/application_folder.hpp"
#include "cli/launcher_source.hpp"
#include "cli/module_dir.hpp"
#include "cli/options.hpp"
#include "cli/python_finder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::cli {
namespace {

int refuse(const std::string& why, int code) {
    std::cerr << "unicoro: error: " << why << '\n';
    return code;
}

/// Looks in the folder of the application, and comes back.
os::outcome<chosen_python> choose(
    const settings::load_request& request, const settings::server_settings& values
) {
    const os::unique_fd here(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (auto failed = enter_directory(request.directory, values)) {
        return os::failure{os::last_error(), std::move(*failed)};
    }
    auto chosen = choose_python(search_of(values));
    if (here && fchdir(here.get()) != 0) {
        return os::make_failure(os::last_error(), "cannot go back to " + request.directory.string());
    }
    return chosen;
}

/// Where the extension modules are that belong to this executable, best first: in the build tree, installed.
std::string own_modules() {
    std::error_code failed;
    const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) return installed_module_dir;
    const std::filesystem::path here = executable.parent_path();
    const std::filesystem::path installed = (here / installed_module_dir).lexically_normal();
    return (here / "src" / "python").string() + ":" + installed.string();
}

#if defined(__SANITIZE_ADDRESS__)
// The sanitizer's runtime must be the first library of a program, and the interpreter does not bring it. The
// module takes it out again, so that programs of the application go without.
void bring_sanitizer() {
    setenv("LD_PRELOAD", sanitizer_runtime, 1);
}
#else
void bring_sanitizer() noexcept {}
#endif

int execute(const std::string& interpreter, const settings::load_request& request, int answers) {
    std::vector<std::string> words{
        interpreter, "-c", launcher_source, own_modules(), std::to_string(answers)
    };
    for (std::string& each : settings::command_line_of(request)) words.push_back(std::move(each));
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    bring_sanitizer();
    execv(interpreter.c_str(), arguments.data());
    return refuse(
        "cannot run the Python interpreter " + interpreter + ": " + os::last_error().message(), exit_no_worker
    );
}

}  // namespace

bool is_wanted_python(
    const app::python_process* python,
    const settings::load_request& request,
    const settings::server_settings& values
) {
    if (python == nullptr) return false;
    if (values.python.empty()) return true;
    const auto chosen = choose(request, values);
    return chosen && chosen->path == python->executable();
}

int become_python(
    const settings::load_request& request,
    const settings::server_settings& values,
    const python_answers& answers
) {
    const auto chosen = choose(request, values);
    if (!chosen) return refuse(chosen.error().message, exit_no_worker);
    const auto kept = answers.save();
    if (!kept) return refuse(kept.error().message, exit_failure);
    return execute(chosen->path, request, kept->get());
}

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
// Asks an interpreter what it is, by running it once.
#include "app/python_finder.hpp"

#include "base/text.hpp"
#include "os/helper_process.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace unicoro::app {
namespace {

constexpr std::chrono::seconds patience{10};

constexpr const char* question = R"py(
import sys, sysconfig
v = sysconfig.get_config_var
for answer in (sys.implementation.name, "%d.%d" % sys.version_info[:2], sys.abiflags, sys.executable,
               sys.base_prefix, v("Py_ENABLE_SHARED"), v("INSTSONAME"), v("LIBDIR"),
               "%d.%d.%d" % sys.version_info[:3]):
    print("" if answer is None else answer)
)py";

os::failure refused(std::string message) {
    return {os::system_error(ENOEXEC), std::move(message)};
}

os::outcome<std::string> ask(const std::string& interpreter) {
    os::helper asked;
    // -I and -S: neither PYTHON* variables nor site hooks of the user can change the answers.
    asked.arguments = {interpreter, "-I", "-S", "-c", question};
    asked.patience = patience;
    os::outcome<os::helper_answer> answer = os::ask_helper(asked);
    if (!answer) {
        return os::make_failure(answer.error().code, "cannot run the Python interpreter " + interpreter);
    }
    if (!answer->text) {
        return refused(
            interpreter + " did not answer within " + std::to_string(patience.count()) +
            " seconds; is it a Python interpreter?"
        );
    }
    if (answer->status != 0) {
        return refused(
            interpreter +
            " could not say which Python it is (see its message above); name a Python 3.10 or newer with "
            "--python"
        );
    }
    return std::move(*answer->text);
}

std::string take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    std::string line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

bool too_old(std::string_view version) {
    const std::size_t dot = version.find('.');
    const auto major = base::parse_integer<int>(version.substr(0, dot));
    const auto minor = base::parse_integer<int>(version.substr(dot + 1));
    return !major || !minor || *major < 3 || (*major == 3 && *minor < 10);
}

}  // namespace

os::outcome<python_runtime> probe_python(const std::string& interpreter) {
    const os::outcome<std::string> answer = ask(interpreter);
    if (!answer) return answer.error();
    std::string_view text = *answer;
    const std::string implementation = take_line(text);
    const std::string version = take_line(text);
    const std::string flags = take_line(text);
    const std::string executable = take_line(text);
    const std::string base_prefix = take_line(text);
    const std::string shared = take_line(text);
    const std::string soname = take_line(text);
    const std::string folder = take_line(text);
    const std::string release = take_line(text);

    if (implementation != "cpython") {
        return refused(
            interpreter + " is " + implementation + "; only CPython can be hosted: name one with --python"
        );
    }
    if (too_old(version)) {
        return refused(
            interpreter + " is Python " + version + "; Unicoro needs 3.10 or newer: name one with --python"
        );
    }
    if (shared != "1") {
        return refused(
            interpreter + " (Python " + version +
            ") was built without a shared libpython, which Unicoro "
            "loads. Build it with --enable-shared (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared), "
            "or name "
            "another: --python /usr/bin/python3"
        );
    }
    python_runtime runtime;
    runtime.executable = executable.empty() ? interpreter : executable;
    runtime.version = version + flags;
    runtime.release = release;
    for (const std::string& candidate : {folder, base_prefix + "/lib", base_prefix + "/lib64"}) {
        std::error_code ignored;
        const std::string path = candidate + "/" + soname;
        if (std::filesystem::exists(path, ignored)) {
            runtime.library = path;
            return runtime;
        }
    }
    // Perhaps the dynamic linker knows where it is.
    runtime.library = soname;
    return runtime;
}

}  // namespace unicoro::app

// SPDX-License-Identifier: MIT
// Asks an interpreter what it is, by running it once.
#include "app/python_finder.hpp"

#include "base/text.hpp"
#include "os/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace unicoro::app {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience{10};

constexpr const char* question = R"py(
import sys, sysconfig
v = sysconfig.get_config_var
for answer in (sys.implementation.name, "%d.%d" % sys.version_info[:2], sys.abiflags, sys.executable,
               sys.base_prefix, v("Py_ENABLE_SHARED"), v("INSTSONAME"), v("LIBDIR")):
    print("" if answer is None else answer)
)py";

os::failure refused(std::string message) {
    return {os::system_error(ENOEXEC), std::move(message)};
}

/// What the interpreter printed, or why it could not be asked.
struct spawned {
    pid_t pid = -1;
    os::unique_fd output;
};

os::outcome<spawned> spawn(const std::string& interpreter) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return os::make_failure(os::last_error(), "cannot make a pipe to " + interpreter);
    }
    spawned child;
    child.output.reset(ends[0]);
    const os::unique_fd writer(ends[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    // A worker may have blocked or ignored signals; the interpreter must be killable and see its
    // pipes.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    // -I and -S: neither PYTHON* variables nor site hooks of the user can change the answers.
    std::array<char*, 6> arguments{
        const_cast<char*>(interpreter.c_str()),
        const_cast<char*>("-I"),
        const_cast<char*>("-S"),
        const_cast<char*>("-c"),
        const_cast<char*>(question),
        nullptr};
    const int error = ::posix_spawn(
        &child.pid, interpreter.c_str(), &actions, &attributes, arguments.data(), environ
    );
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return os::make_failure(
            os::system_error(error), "cannot run the Python interpreter " + interpreter
        );
    }
    return child;
}

/// Reads to the end of the pipe; nothing when that takes longer than `patience`.
std::optional<std::string> read_all(int fd) {
    const auto until = clock::now() + patience;
    std::string text;
    std::array<char, 4096> piece;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
        pollfd wait{fd, POLLIN, 0};
        const int ready = left.count() > 0 ? ::poll(&wait, 1, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return std::nullopt;
        const ssize_t n = ::read(fd, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
}

os::outcome<std::string> ask(const std::string& interpreter) {
    const os::outcome<spawned> child = spawn(interpreter);
    if (!child) return child.error();
    std::optional<std::string> answer = read_all(child->output.get());
    if (!answer) ::kill(child->pid, SIGKILL);
    int status = 0;
    while (::waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!answer) {
        return refused(
            interpreter + " did not answer within " + std::to_string(patience.count()) +
            " seconds; is it a Python interpreter?"
        );
    }
    if (status != 0) {
        return refused(
            interpreter +
            " could not say what Python it is (see its message above); name a Python "
            "3.9 or newer with --python"
        );
    }
    return std::move(*answer);
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
    return !major || !minor || *major < 3 || (*major == 3 && *minor < 9);
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

    if (implementation != "cpython") {
        return refused(
            interpreter + " is " + implementation +
            "; only CPython can be hosted: name one with --python"
        );
    }
    if (too_old(version)) {
        return refused(
            interpreter + " is Python " + version +
            "; Unicoro needs 3.9 or newer: name one with --python"
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

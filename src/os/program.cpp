// SPDX-License-Identifier: MIT
#include "os/program.hpp"

#include "os/exec_texts.hpp"
#include "os/forks.hpp"
#include "os/signals.hpp"
#include "os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace unicoro::os {
namespace {

bool is_named(std::string_view variable, std::string_view name) noexcept {
    return variable.size() > name.size() && variable[name.size()] == '=' && variable.starts_with(name);
}

bool set_private(std::span<const int> descriptors, int flags) noexcept {
    return std::ranges::all_of(descriptors, [flags](int fd) { return fcntl(fd, F_SETFD, flags) == 0; });
}

failure cannot_run(const program& what, error_code why) {
    return make_failure(why, "cannot run " + what.command.front() + " in " + what.directory);
}

/// In the child: only what is safe after a fork, and no return.
[[noreturn]] void begin_in_child(
    const program& what,
    char* const* words,
    char* const* variables,
    std::span<const int> kept,
    int output,
    int alarm,
    pid_t parent
) noexcept {
    reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    // It may have ended before.
    bool ready = getppid() == parent;
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ready = ready && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0;
    ready = ready && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0;
    ready = ready && set_private(kept, 0) && chdir(what.directory.c_str()) == 0;
    if (ready) execve(words[0], words, variables);
    const int why = errno;
    [[maybe_unused]] const ssize_t told = write(alarm, &why, sizeof why);
    _exit(127);
}

}  // namespace

void program::forget(std::span<const std::string_view> names) {
    std::erase_if(environment, [names](const std::string& each) {
        return std::ranges::any_of(names, [&each](std::string_view name) { return is_named(each, name); });
    });
}

void program::set(std::string_view name, std::string_view value) {
    forget(std::span(&name, 1));
    environment.push_back(std::string(name) + "=" + std::string(value));
}

std::vector<std::string> current_environment() {
    std::vector<std::string> variables;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) variables.emplace_back(*each);
    return variables;
}

failure become_program(const program& what, std::span<const int> kept) {
    const std::vector<char*> words = pointers_to(what.command);
    const std::vector<char*> variables = pointers_to(what.environment);
    if (chdir(what.directory.c_str()) != 0) return cannot_run(what, last_error());
    std::fflush(nullptr);
    error_code why;
    if (set_private(kept, 0)) execve(words[0], words.data(), variables.data());
    why = last_error();
    for (const int fd : kept) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return cannot_run(what, why);
}

outcome<pid_t> start_program(const program& what, std::span<const int> kept, int output) {
    const std::vector<char*> words = pointers_to(what.command);
    const std::vector<char*> variables = pointers_to(what.environment);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return cannot_run(what, last_error());
    const unique_fd told(ends[0]);
    unique_fd alarm(ends[1]);
    std::fflush(nullptr);
    const pid_t parent = getpid();
    pid_t pid = -1;
    int error = 0;
    {
        const signals_held_back for_the_child;
        {
            const fork_of_server ours;
            pid = fork();
        }
        if (pid == 0) begin_in_child(what, words.data(), variables.data(), kept, output, alarm.get(), parent);
        if (pid < 0) error = errno;
    }
    if (pid < 0) return cannot_run(what, system_error(error));
    alarm.reset();
    // Ends without a word when the program has begun.
    while (read(told.get(), &error, sizeof error) < 0 && errno == EINTR) {
    }
    if (error == 0) return pid;
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return cannot_run(what, system_error(error));
}

}  // namespace unicoro::os

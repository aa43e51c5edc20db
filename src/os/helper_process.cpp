// SPDX-License-Identifier: MIT
#include "os/helper_process.hpp"

#include "os/exec_texts.hpp"
#include "os/signals.hpp"
#include "os/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace unicoro::os {
namespace {

using clock = std::chrono::steady_clock;

/// Becomes the program, in the child of a fork: only what is safe there, and no return.
[[noreturn]] void become(
    const helper& asked, char* const* arguments, char* const* variables, int writer, int alarm
) {
    // We may have blocked or ignored signals; the program must be killable and see its pipes.
    reset_signals();
    // dup2 onto itself would leave it to be closed.
    bool ready =
        writer == asked.answer_fd ? ::fcntl(writer, F_SETFD, 0) == 0 : ::dup2(writer, asked.answer_fd) >= 0;
    if (asked.answer_fd != STDOUT_FILENO) ready = ready && ::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ready = ready && nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0;
    ready = ready && (asked.directory.empty() || ::chdir(asked.directory.c_str()) == 0);
    if (ready) ::execve(arguments[0], arguments, variables);
    const int why = errno;
    [[maybe_unused]] const ssize_t told = ::write(alarm, &why, sizeof why);
    ::_exit(127);
}

/// The error of what could not be started, 0 otherwise. Not posix_spawn: to start it in another folder
/// asks for glibc 2.29.
int spawn(const helper& asked, int writer, pid_t& pid) {
    const std::vector<char*> arguments = pointers_to(asked.arguments);
    const std::vector<char*> variables =
        asked.environment ? pointers_to(*asked.environment) : std::vector<char*>();
    char* const* const environment = asked.environment ? variables.data() : environ;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
    const unique_fd told(ends[0]);
    unique_fd alarm(ends[1]);
    // Out of the way of what the program is given.
    alarm.reset(::fcntl(alarm.get(), F_DUPFD_CLOEXEC, std::max(asked.answer_fd, STDERR_FILENO) + 1));
    if (!alarm) return errno;
    int error = 0;
    {
        const signals_held_back for_the_child;
        pid = ::fork();
        if (pid == 0) become(asked, arguments.data(), environment, writer, alarm.get());
        if (pid < 0) error = errno;
    }
    if (pid < 0) return error;
    alarm.reset();
    // Ends without a word when the program has begun.
    while (::read(told.get(), &error, sizeof error) < 0 && errno == EINTR) {
    }
    if (error != 0) {
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    return error;
}

/// Reads to the end of the answer; nothing when that takes longer than it may.
std::optional<std::string> read_answer(int fd, const helper& asked) {
    const auto until = clock::now() + asked.patience;
    std::string text;
    std::array<char, 4096> piece;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
        pollfd wait{fd, POLLIN, 0};
        const int ready = left.count() > 0 ? ::poll(&wait, 1, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return std::nullopt;
        const ssize_t n = ::read(fd, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(n));
        if (asked.answer_ends == helper::ending::first_line && text.back() == '\n') return text;
    }
}

}  // namespace

outcome<helper_answer> ask_helper(const helper& asked) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return make_failure(last_error(), "cannot make a pipe to " + asked.arguments.front());
    }
    const unique_fd reader(ends[0]);
    unique_fd writer(ends[1]);
    pid_t pid = -1;
    const int error = spawn(asked, writer.get(), pid);
    // Held open here, the pipe would never end.
    writer.reset();
    if (error != 0) {
        return make_failure(system_error(error), "cannot run " + asked.arguments.front());
    }
    helper_answer answer;
    answer.text = read_answer(reader.get(), asked);
    if (!answer.text) ::kill(pid, SIGKILL);
    while (::waitpid(pid, &answer.status, 0) < 0 && errno == EINTR) {
    }
    return answer;
}

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#include "os/helper_process.hpp"

#include "os/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace unicoro::os {
namespace {

using clock = std::chrono::steady_clock;

/// The form that exec(3) takes; valid while `texts` is.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& each : texts) pointers.push_back(const_cast<char*>(each.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

/// What is done to descriptors and the folder before the program starts.
class file_actions {
  public:
    file_actions(const helper& asked, int writer) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, writer, asked.answer_fd);
        if (asked.answer_fd != STDOUT_FILENO) {
            posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
        }
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (!asked.directory.empty()) {
            posix_spawn_file_actions_addchdir_np(&actions_, asked.directory.c_str());
        }
    }
    file_actions(const file_actions&) = delete;
    file_actions& operator=(const file_actions&) = delete;
    ~file_actions() { posix_spawn_file_actions_destroy(&actions_); }

    [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

int spawn(const helper& asked, int writer, pid_t& pid) {
    const file_actions actions(asked, writer);
    // We may have blocked or ignored signals; the program must be killable and see its pipes.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    const std::vector<char*> arguments = pointers_to(asked.arguments);
    const std::vector<char*> variables =
        asked.environment ? pointers_to(*asked.environment) : std::vector<char*>();
    const int error = ::posix_spawn(
        &pid,
        arguments.front(),
        actions.get(),
        &attributes,
        arguments.data(),
        asked.environment ? variables.data() : environ
    );
    posix_spawnattr_destroy(&attributes);
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

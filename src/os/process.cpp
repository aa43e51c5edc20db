// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include "os/failure.hpp"
#include "os/forks.hpp"

#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace unicoro::os {
namespace {

std::optional<fork_hooks>& own_forks() noexcept {
    static std::optional<fork_hooks> hooks;
    return hooks;
}

std::chrono::microseconds length_of(const timeval& time) noexcept {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

template <class Fork>
result<pid_t> fork_by(Fork fork_once) noexcept {
    std::fflush(nullptr);
    const fork_of_server ours;
    const std::optional<fork_hooks>& hooks = own_forks();
    if (hooks) hooks->before();
    const pid_t pid = fork_once();
    const error_code failed = pid < 0 ? last_error() : error_code();
    if (hooks) (pid == 0 ? hooks->in_child : hooks->in_parent)();
    if (failed) return failed;
    return pid;
}

// The process in between has no memory of its own (vfork), so that handlers of pthread_atfork(3) run once,
// here and in the new process, and page tables are copied once. It does nothing but fork and end, while this
// one stands still; the new process, with its copy of the stack, returns from here like any child.
[[gnu::noinline]] pid_t fork_through_another() noexcept {
    volatile pid_t made = -1;
    volatile int failure = 0;
    volatile pid_t parent = 0;
    // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork,bugprone-unsafe-functions): see above
    const pid_t between = vfork();
    if (between == 0) {
        parent = getpid();
        const pid_t pid = fork();
        if (pid == 0) {
            // Whoever asks for its parent finds the one it has for good.
            while (getppid() == parent) usleep(50);
            return 0;
        }
        if (pid < 0) failure = errno;
        made = pid;
        _exit(0);
    }
    if (between < 0) return -1;
    while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
    errno = failure;
    return made;
}

}  // namespace

std::string executed_path() {
    const auto* const given = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    std::error_code failed;
    if (given != nullptr && *given != '\0') {
        const std::filesystem::path path = std::filesystem::absolute(given, failed);
        if (!failed) return path.lexically_normal().string();
    }
    return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

void watch_own_forks(const fork_hooks& hooks) noexcept {
    own_forks() = hooks;
}

result<pid_t> fork_process() noexcept {
    return fork_by([] { return fork(); });
}

error_code adopt_orphans() noexcept {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? error_code{} : last_error();
}

result<pid_t> fork_orphan() noexcept {
    return fork_by(&fork_through_another);
}

std::optional<ended_child> reap_child() noexcept {
    ended_child child;
    rusage used{};
    do {
        child.pid = wait4(-1, &child.status, WNOHANG, &used);
    } while (child.pid < 0 && errno == EINTR);
    if (child.pid <= 0) return std::nullopt;
    child.cpu = length_of(used.ru_utime) + length_of(used.ru_stime);
    return child;
}

bool end_with_parent(pid_t forked_by) noexcept {
    return prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 && getppid() == forked_by;
}

bool is_child(pid_t pid) noexcept {
    siginfo_t unused{};
    return waitid(P_PID, static_cast<id_t>(pid), &unused, WEXITED | WNOHANG | WNOWAIT) == 0;
}

error_code send_signal(pid_t pid, int signal) noexcept {
    return kill(pid, signal) == 0 ? error_code{} : last_error();
}

// glibc's bounds follow the largest block that was freed, unless they were set (mallopt(3)): so they stay
// able to follow. Nothing is written to it, so that it costs no memory.
void keep_freed_memory() noexcept {
    constexpr std::size_t largest = 8 * 1024 * 1024;
    void* volatile block = std::malloc(largest);
    std::free(block);
}

void end_process(int code) noexcept {
    std::fflush(nullptr);
    _exit(code);
}

}  // namespace unicoro::os

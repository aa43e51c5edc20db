// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include "os/failure.hpp"
#include "os/forks.hpp"

#include <sys/auxv.h>
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
    std::fflush(nullptr);
    const fork_of_server ours;
    const std::optional<fork_hooks>& hooks = own_forks();
    if (hooks) hooks->before();
    const pid_t pid = fork();
    const error_code failed = pid < 0 ? last_error() : error_code();
    if (hooks) (pid == 0 ? hooks->in_child : hooks->in_parent)();
    if (failed) return failed;
    return pid;
}

std::optional<ended_child> reap_child() noexcept {
    ended_child child;
    do {
        child.pid = waitpid(-1, &child.status, WNOHANG);
    } while (child.pid < 0 && errno == EINTR);
    if (child.pid <= 0) return std::nullopt;
    return child;
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

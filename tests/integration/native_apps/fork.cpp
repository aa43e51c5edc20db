// SPDX-License-Identifier: MIT
// A native application that forks. What its children see, how they end, and what the parent answers.
#include <unicoro/unicoro.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using unicoro::awaitable;
using unicoro::request;
using unicoro::response;

int number(request& asked, std::string_view name) {
    return std::atoi(asked.query_parameter(name).value_or("").c_str());
}

/// The exit code of a child, or the number of the signal that ended it.
std::string end_of(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
    }
    return std::to_string(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

response ended(pid_t pid) {
    return response::text(end_of(pid));
}

/// Sockets and the like that a child has, by their names.
awaitable<response> left(request&) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    const pid_t pid = fork();
    if (pid == 0) {
        std::string names;
        for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code gone;
            const std::string name = std::filesystem::read_symlink(each.path(), gone).string();
            if (name.starts_with("socket:") || name.starts_with("anon_inode:")) names += name + " ";
        }
        const ssize_t written = write(ends[1], names.data(), names.size());
        _exit(written < 0 ? 1 : 0);
    }
    close(ends[1]);
    std::string names(4096, '\0');
    const ssize_t count = read(ends[0], names.data(), names.size());
    close(ends[0]);
    names.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    waitpid(pid, nullptr, 0);
    co_return response::text(names);
}

/// A child that waits is sent a signal at once.
awaitable<response> signalled(request& asked) {
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) pause();
    }
    kill(pid, number(asked, "number"));
    co_return ended(pid);
}

awaitable<response> exits(request& asked) {
    const pid_t pid = fork();
    if (pid == 0) _exit(number(asked, "code"));
    co_return ended(pid);
}

awaitable<response> returns(request&) {
    const pid_t pid = fork();
    if (pid == 0) co_return response::text("of the child");
    co_return ended(pid);
}

awaitable<response> throws(request&) {
    const pid_t pid = fork();
    if (pid == 0) throw std::runtime_error("thrown by the child");
    co_return ended(pid);
}

awaitable<response> waits(request&) {
    const pid_t pid = fork();
    if (pid == 0) co_await unicoro::sleep_for(std::chrono::milliseconds(1));
    co_return ended(pid);
}

awaitable<void> write_in_child(unicoro::response_writer& out) {
    const pid_t pid = fork();
    if (pid == 0) {
        co_await out.write("of the child");
        _exit(0);
    }
    const std::string code = end_of(pid);
    co_await out.write(code);
}

awaitable<response> writes(request&) {
    co_return response::stream("text/plain", &write_in_child);
}

using handler = awaitable<response> (*)(request&);

const std::map<std::string_view, handler> pages{
    {"/left", left},
    {"/signal", signalled},
    {"/exit", exits},
    {"/return", returns},
    {"/throw", throws},
    {"/wait", waits},
    {"/write", writes},
};

awaitable<response> handle(request& asked) {
    return pages.at(asked.path())(asked);
}

}  // namespace

extern "C" const unicoro::application app{.handle = handle};

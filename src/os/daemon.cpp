// SPDX-License-Identifier: MIT
#include "os/daemon.hpp"

#include "os/process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace unicoro::os {
namespace {

[[noreturn]] void wait_for_report(int read_end, pid_t first_child) noexcept {
    while (waitpid(first_child, nullptr, 0) < 0 && errno == EINTR) {
    }
    unsigned char code = 1;
    while (read(read_end, &code, 1) < 0 && errno == EINTR) {
    }
    end_process(code);
}

}  // namespace

void daemon_link::report(int code) noexcept {
    if (!write_end_) return;
    const auto byte = static_cast<unsigned char>(code);
    while (write(write_end_.get(), &byte, 1) < 0 && errno == EINTR) {
    }
    write_end_.reset();
}

outcome<daemon_link> daemonise() noexcept {
    const char* const what = "cannot become a daemon";
    std::array<int, 2> ends{};
    // Blocking on purpose: the command has nothing to do but wait.
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return make_failure(last_error(), what);
    unique_fd read_end(ends[0]);
    unique_fd write_end(ends[1]);
    const auto first = fork_process();
    if (!first) return make_failure(first.error(), what);
    if (*first > 0) {
        write_end.reset();
        wait_for_report(read_end.get(), *first);
    }
    read_end.reset();
    if (setsid() < 0) end_process(1);
    // A session leader would get a terminal by opening one; its child cannot.
    const auto second = fork_process();
    if (!second || *second > 0) end_process(second ? 0 : 1);
    umask(022);
    return daemon_link(std::move(write_end));
}

error_code detach_streams(stream_policy policy) noexcept {
    const unique_fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return last_error();
    if (dup2(null.get(), STDIN_FILENO) < 0) return last_error();
    if (policy == stream_policy::keep) return {};
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
        if (policy == stream_policy::keep_unless_tty && isatty(stream) == 0) continue;
        if (dup2(null.get(), stream) < 0) return last_error();
    }
    return {};
}

}  // namespace unicoro::os

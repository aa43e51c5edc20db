// SPDX-License-Identifier: MIT
#pragma once

#include "os/process.hpp"
#include "os/unique_fd.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace unicoro::os::testing {

/// A directory of its own that goes with the test.
class temp_dir {
  public:
    temp_dir() {
        std::string pattern = std::filesystem::temp_directory_path() / "unicoro-test-XXXXXX";
        path_ = mkdtemp(pattern.data());
    }
    temp_dir(const temp_dir&) = delete;
    temp_dir& operator=(const temp_dir&) = delete;
    ~temp_dir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// The exit code of a child, or minus the signal that ended it.
inline int end_of(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Runs `body` in a child that is forked as an application does it.
inline int in_child(const std::function<int()>& body) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) _exit(body());
    return end_of(child);
}

/// The same in a child of the server, which keeps what the server withholds from others.
inline int in_own_child(const std::function<int()>& body) {
    std::fflush(nullptr);
    const pid_t child = fork_process().value();
    if (child == 0) _exit(body());
    return end_of(child);
}

/// Both ends of a pipe.
struct pipe_ends {
    unique_fd read;
    unique_fd write;
};

inline pipe_ends make_pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

inline std::string content_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace unicoro::os::testing

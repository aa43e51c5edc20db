// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace unicoro::os {

/// A process that the application forks (os.fork, multiprocessing, fork(2) in native code) begins as a
/// copy of the server and is none. What the server tells of here is undone in it before fork returns
/// there (pthread_atfork(3)), and while it forks no signal arrives. The server's own workers are made
/// by `fork_process`, which leaves all as it is. vfork, posix_spawn and _Fork go unnoticed: exec
/// follows there. All state is of the process and lasts as long.

/// True in a process that the application forked off: it must never act as the server. Any thread.
[[nodiscard]] bool forked_off() noexcept;

/// Makes `forked_off` know, also where nothing is withheld.
void watch_forks() noexcept;

/// The next child of this thread has all signals blocked until it calls `resume_signals`: for who has more
/// to undo there. `let_signals` takes it back.
void hold_signals() noexcept;
void let_signals() noexcept;
void resume_signals() noexcept;

/// What becomes of a withheld descriptor in such a process.
enum class withheld_as : std::uint8_t {
    closed,
    /// Its number stays taken, and every use of it fails: for what is out of our hands and might still
    /// be written to there, when the number meant a file of the application.
    useless,
};

/// While one lives no other thread forks: descriptors change together with what is known of them. Short,
/// and never around anything that waits or forks.
class fork_pause {
  public:
    fork_pause() noexcept;
    fork_pause(const fork_pause&) = delete;
    fork_pause& operator=(const fork_pause&) = delete;
    ~fork_pause();

    /// Keeps a descriptor from children.
    void withhold(int fd, withheld_as what = withheld_as::closed);
    /// Its number means something else from now on. False when it does so already: it was closed by a fork.
    bool forget(int fd) noexcept;
};

/// True of a number that `withheld_as::useless` has left behind in this process.
[[nodiscard]] bool is_useless(int fd) noexcept;

/// What handles this signal now is the server's: a child gets `before` back, unless the application has
/// put something else there meanwhile. One may stand upon another, and the last is the first to be forgotten.
void withhold_handler(int signal, const struct sigaction& before);
void forget_handler(int signal) noexcept;

/// The server blocks these: in a child they are not blocked. One set, until `forget_mask`.
void withhold_mask(const sigset_t& blocked) noexcept;
void forget_mask() noexcept;

/// Shared memory: a child gets empty pages of its own in its place. Whole pages, until `forget_memory`.
void withhold_memory(void* begin, std::size_t size);
void forget_memory(void* begin) noexcept;

/// Owns a descriptor that children of the application do not get.
class withheld_fd {
  public:
    withheld_fd() noexcept = default;
    withheld_fd(unique_fd fd);
    withheld_fd(withheld_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    withheld_fd& operator=(withheld_fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~withheld_fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    void reset() noexcept;
    /// It stays withheld.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

/// While one lives, this thread's forks are the server's own.
class fork_of_server {
  public:
    fork_of_server() noexcept;
    fork_of_server(const fork_of_server&) = delete;
    fork_of_server& operator=(const fork_of_server&) = delete;
    ~fork_of_server();
};

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#include "os/forks.hpp"

#include "os/descriptors.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = unicoro::os;
using os::testing::in_child;

namespace {

bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

ino_t inode_of(int fd) {
    struct stat found{};
    return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

void nothing(int) {}

struct sigaction handled_by(void (*handler)(int)) {
    struct sigaction made{};
    made.sa_handler = handler;
    return made;
}

/// Signals as a program finds them that nobody has prepared: this one may be started with some ignored,
/// and doctest has handlers that would print.
class plain_signals {
  public:
    plain_signals() {
        for (std::size_t at = 0; at < numbers.size(); ++at) {
            const struct sigaction plain = handled_by(SIG_DFL);
            sigaction(numbers[at], &plain, &before_[at]);
        }
    }
    plain_signals(const plain_signals&) = delete;
    plain_signals& operator=(const plain_signals&) = delete;
    ~plain_signals() {
        for (std::size_t at = 0; at < numbers.size(); ++at) sigaction(numbers[at], &before_[at], nullptr);
    }

  private:
    static constexpr std::array numbers{SIGTERM, SIGHUP, SIGUSR2};
    std::array<struct sigaction, numbers.size()> before_{};
};

/// As `in_child`, by the server's own fork.
int in_own_child(int (*body)()) {
    const auto pid = os::fork_process();
    if (!pid) return -1000;
    if (*pid == 0) _exit(body());
    int status = 0;
    while (waitpid(*pid, &status, 0) < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_SUITE_BEGIN("forks");

TEST_CASE("a withheld descriptor is closed in a child of the application, and in no other") {
    auto made = os::make_event();
    REQUIRE(made.has_value());
    static os::withheld_fd kept;
    kept = std::move(*made);
    static int number;
    number = kept.get();
    CHECK(in_child([] {
              if (!os::forked_off()) return 1;
              if (is_open(number)) return 2;
              // The number may be taken by then: nobody closes it again.
              const int taken = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, number);
              kept.reset();
              return taken == number && is_open(number) ? 0 : 3;
          }) == 0);
    CHECK(in_own_child([] { return !os::forked_off() && is_open(number) ? 0 : 1; }) == 0);
    CHECK_FALSE(os::forked_off());
    CHECK(is_open(number));
    kept.reset();
    CHECK_FALSE(is_open(number));
}

TEST_CASE("one that was made in the child is the child's") {
    CHECK(in_child([] {
              auto made = os::make_event();
              os::withheld_fd own = std::move(*made);
              const int number = own.get();
              own.reset();
              return is_open(number) ? 1 : 0;
          }) == 0);
}

TEST_CASE("a useless one keeps its number") {
    auto made = os::make_event();
    REQUIRE(made.has_value());
    const int number = made->get();
    const ino_t inode = inode_of(number);
    os::fork_pause().withhold(number, os::withheld_as::useless);
    CHECK_FALSE(os::is_useless(number));
    CHECK(in_child([number] {
              const std::uint64_t one = 1;
              if (!os::is_useless(number)) return 1;
              if (write(number, &one, sizeof one) >= 0) return 2;
              // The same in its own children.
              return in_child([number] { return os::is_useless(number) ? 0 : 1; }) == 0 ? 0 : 3;
          }) == 0);
    CHECK_FALSE(os::clear_event(number));
    CHECK(inode_of(number) == inode);
    CHECK(os::fork_pause().forget(number));
    CHECK_FALSE(os::fork_pause().forget(number));
}

TEST_CASE("a signal that comes at once meets what was there before the server's handler") {
    const plain_signals only;
    const struct sigaction ours = handled_by(&nothing);
    struct sigaction before{};
    REQUIRE(sigaction(SIGUSR2, &ours, &before) == 0);
    os::withhold_handler(SIGUSR2, before);
    for (int round = 0; round < 50; ++round) {
        const pid_t pid = fork();
        if (pid == 0) {
            for (;;) pause();
        }
        kill(pid, SIGUSR2);
        int status = 0;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        CHECK(WTERMSIG(status) == SIGUSR2);
    }
    // Who has put another one there keeps it.
    const struct sigaction ignored = handled_by(SIG_IGN);
    sigaction(SIGUSR2, &ignored, nullptr);
    CHECK(in_child([] {
              raise(SIGUSR2);
              return 0;
          }) == 0);
    os::forget_handler(SIGUSR2);
    sigaction(SIGUSR2, &before, nullptr);
}

TEST_CASE("signals stay blocked in a child that undoes more") {
    const plain_signals only;
    const struct sigaction ours = handled_by(&nothing);
    struct sigaction before{};
    REQUIRE(sigaction(SIGUSR2, &ours, &before) == 0);
    os::withhold_handler(SIGUSR2, before);
    os::hold_signals();
    CHECK(in_child([] {
              sigset_t blocked;
              raise(SIGUSR2);
              pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
              if (sigismember(&blocked, SIGUSR2) != 1) return 1;
              os::resume_signals();
              return 2;
          }) == -SIGUSR2);
    os::let_signals();
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    CHECK(sigismember(&blocked, SIGUSR2) == 0);
    os::forget_handler(SIGUSR2);
    sigaction(SIGUSR2, &before, nullptr);
}

TEST_CASE("what a signal_source blocks is not blocked in a child") {
    const plain_signals only;
    CHECK(in_own_child([] {
              constexpr std::array wanted{SIGTERM};
              auto source = os::signal_source::open(wanted);
              if (!source) return 1;
              const int code = in_child([] {
                  raise(SIGTERM);
                  return 0;
              });
              return code == -SIGTERM ? 0 : 2;
          }) == 0);
}

TEST_CASE("signals are let in for programs, and arrive afterwards") {
    const plain_signals only;
    CHECK(in_own_child([] {
              constexpr std::array wanted{SIGTERM, SIGHUP};
              auto source = os::signal_source::open(wanted);
              if (!source) return 1;
              {
                  const os::signals_let_in application;
                  sigset_t blocked;
                  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
                  if (sigismember(&blocked, SIGTERM) != 0) return 2;
                  raise(SIGHUP);
                  const int code = in_child([] {
                      raise(SIGTERM);
                      return 0;
                  });
                  if (code != -SIGTERM) return 3;
              }
              pollfd watched{source->fd(), POLLIN, 0};
              if (poll(&watched, 1, 1000) != 1) return 4;
              if (source->next() != SIGHUP || source->next()) return 5;
              raise(SIGTERM);
              return source->next() == SIGTERM ? 0 : 6;
          }) == 0);
}

TEST_CASE("shared memory is replaced by empty pages") {
    constexpr std::size_t size = 4096;
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    auto& number = *static_cast<int*>(memory);
    number = 1;
    os::withhold_memory(memory, size);
    CHECK(in_child([&number] {
              if (number != 0) return 1;
              number = 2;
              return 0;
          }) == 0);
    CHECK(number == 1);
    os::forget_memory(memory);
    CHECK(in_child([&number] { return number; }) == 1);
    munmap(memory, size);
}

TEST_CASE("descriptors that come and go in another thread are never left to a child") {
    // What this program was started with may have such numbers, too.
    const auto before = os::descriptor_numbers();
    const int lowest = 1 + std::ranges::max(before);
    std::atomic<bool> over{false};
    std::thread other([&over, lowest] {
        while (!over) {
            std::optional<os::fork_pause> pause(std::in_place);
            const int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, lowest + 40);
            pause->withhold(fd);
            pause.reset();
            pause.emplace();
            pause->forget(fd);
            close(fd);
            pause.reset();
            std::this_thread::yield();
        }
    });
    for (int round = 0; round < 200; ++round) {
        CHECK(in_child([lowest] {
                  const auto open = os::descriptor_numbers();
                  return std::ranges::any_of(open, [lowest](int fd) { return fd >= lowest + 40; }) ? 1 : 0;
              }) == 0);
    }
    over = true;
    other.join();
}

TEST_SUITE_END();

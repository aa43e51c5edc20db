// SPDX-License-Identifier: MIT
#include "os/signals.hpp"

#include "os/failure.hpp"
#include "os/process.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <array>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

namespace os = unicoro::os;
using os::testing::in_child;

TEST_SUITE_BEGIN("signals and processes");

TEST_CASE("blocked signals are read, in a child they act again") {
    CHECK(in_child([] {
              constexpr std::array wanted{SIGTERM, SIGUSR1};
              auto source = os::signal_source::open(wanted);
              if (!source) return 1;
              if (source->next()) return 2;
              raise(SIGTERM);
              raise(SIGUSR1);
              pollfd watched{source->fd(), POLLIN, 0};
              if (poll(&watched, 1, 1000) != 1) return 3;
              const int sum = source->next().value_or(0) + source->next().value_or(0);
              if (sum != SIGTERM + SIGUSR1) return 4;
              if (source->next()) return 5;
              return in_child([] {
                         os::reset_signals();
                         raise(SIGTERM);
                         return 0;
                     }) == -SIGTERM
                         ? 0
                         : 6;
          }) == 0);
}

TEST_CASE("a thread that was there before hands its signals on") {
    CHECK(in_child([] {
              std::array<int, 2> ends{};
              if (pipe(ends.data()) != 0) return 1;
              std::thread before([in = ends[0]] {
                  char end = 0;
                  [[maybe_unused]] const ssize_t got = read(in, &end, 1);
              });
              constexpr std::array wanted{SIGTERM};
              auto source = os::signal_source::open(wanted);
              if (!source) return 2;
              kill(getpid(), SIGTERM);
              pollfd watched{source->fd(), POLLIN, 0};
              int ready = 0;
              // What is handed on interrupts it.
              while ((ready = poll(&watched, 1, 10'000)) < 0 && errno == EINTR) continue;
              if (ready != 1) return 3;
              if (source->next() != SIGTERM) return 4;
              if (write(ends[1], "x", 1) != 1) return 5;
              before.join();
              return 0;
          }) == 0);
}

TEST_CASE("a write to a closed pipe is only an error") {
    CHECK(in_child([] {
              os::ignore_write_signals();
              std::array<int, 2> ends{};
              if (pipe(ends.data()) != 0) return 1;
              close(ends[0]);
              return write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 2;
          }) == 0);
}

TEST_CASE("a write beyond the limit of file size is only an error") {
    CHECK(in_child([] {
              os::ignore_write_signals();
              const rlimit nothing{0, 0};
              if (setrlimit(RLIMIT_FSIZE, &nothing) != 0) return 1;
              const int file = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
              if (file < 0) return 3;
              return write(file, "x", 1) < 0 && errno == EFBIG ? 0 : 2;
          }) == 0);
}

TEST_CASE("names") {
    CHECK(os::signal_name(SIGKILL) == "SIGKILL");
    CHECK(os::signal_name(SIGHUP) == "SIGHUP");
    CHECK(os::signal_name(200) == "signal 200");
}

TEST_CASE("children are forked, signalled and reaped") {
    CHECK_FALSE(os::reap_child());
    const auto pid = os::fork_process();
    REQUIRE(pid.has_value());
    if (*pid == 0) {
        for (;;) pause();
    }
    CHECK_FALSE(os::send_signal(*pid, SIGKILL));
    siginfo_t info{};
    REQUIRE(waitid(P_PID, static_cast<id_t>(*pid), &info, WEXITED | WNOWAIT) == 0);
    const auto ended = os::reap_child();
    REQUIRE(ended);
    CHECK(ended->pid == *pid);
    CHECK(WTERMSIG(ended->status) == SIGKILL);
    CHECK(os::send_signal(*pid, SIGKILL) == os::system_error(ESRCH));
}

TEST_CASE("end_process flushes and runs nothing else") {
    const os::testing::temp_dir dir;
    const std::string path = dir.file("out");
    CHECK(in_child([&path] {
              std::FILE* file = std::fopen(path.c_str(), "w");
              std::fputs("kept", file);
              std::atexit([] { _exit(9); });
              os::end_process(7);
              return 8;
          }) == 7);
    CHECK(os::testing::content_of(path) == "kept");
}

TEST_SUITE_END();

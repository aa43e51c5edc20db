// SPDX-License-Identifier: MIT
#include "os/daemon.hpp"

#include "os/process.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

namespace os = unicoro::os;
using os::testing::in_child;

namespace {

// What a daemon tells of itself.
struct facts {
    pid_t pid;
    pid_t session;
    pid_t group;
    mode_t mask;
};

facts facts_of_this_process() {
    const mode_t mask = umask(0);
    umask(mask);
    return {getpid(), getsid(0), getpgrp(), mask};
}

// Becomes a daemon, runs `body` there, and returns the exit code of the command that was left waiting.
int command_code(const std::function<void(os::daemon_link&)>& body) {
    return in_child([&body] {
        auto link = os::daemonise();
        if (!link) return 99;
        body(*link);
        _exit(0);
    });
}

}  // namespace

TEST_SUITE_BEGIN("daemon");

TEST_CASE("a daemon has a session without being its leader") {
    const auto pipe = os::testing::make_pipe();
    const int code = command_code([&pipe](os::daemon_link& link) {
        const facts mine = facts_of_this_process();
        if (write(pipe.write.get(), &mine, sizeof mine) == sizeof mine) link.report(0);
    });
    CHECK(code == 0);
    facts found{};
    REQUIRE(read(pipe.read.get(), &found, sizeof found) == sizeof found);
    CHECK(found.session != getsid(0));
    CHECK(found.session != found.pid);
    CHECK(found.mask == 022);
}

TEST_CASE("the command ends with the first report") {
    CHECK(command_code([](os::daemon_link& link) {
              link.report(4);
              link.report(0);
          }) == 4);
}

TEST_CASE("a daemon that dies without a report fails the command") {
    CHECK(command_code([](os::daemon_link&) { _exit(0); }) == 1);
    CHECK(command_code([](os::daemon_link&) { raise(SIGKILL); }) == 1);
}

TEST_CASE("the command waits, whatever the children of the daemon hold") {
    CHECK(command_code([](os::daemon_link& link) {
              const auto worker = os::fork_process();
              if (worker && *worker == 0) {
                  link.abandon();
                  for (;;) pause();
              }
              // The line ends with the daemon although its child lives on.
              if (worker) {
                  link.abandon();
                  kill(*worker, SIGKILL);
              }
          }) == 1);
}

TEST_CASE("streams go to /dev/null, or stay when they are no terminal") {
    struct row {
        os::stream_policy policy;
        bool silent;
    };
    for (const row each :
         {row{os::stream_policy::silence, true},
          row{os::stream_policy::keep_unless_tty, false},
          row{os::stream_policy::keep, false}}) {
        const os::testing::temp_dir dir;
        const std::string path = dir.file("out");
        CHECK(in_child([&] {
                  const int out = open(path.c_str(), O_WRONLY | O_CREAT, 0600);
                  dup2(out, STDOUT_FILENO);
                  dup2(out, STDERR_FILENO);
                  if (os::detach_streams(each.policy)) return 1;
                  char byte = 0;
                  if (read(STDIN_FILENO, &byte, 1) != 0) return 2;
                  if (write(STDOUT_FILENO, "o", 1) != 1 || write(STDERR_FILENO, "e", 1) != 1) return 3;
                  return 0;
              }) == 0);
        CHECK(os::testing::content_of(path) == (each.silent ? "" : "oe"));
    }
}

TEST_SUITE_END();

// SPDX-License-Identifier: MIT
#include "os/helper_process.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace os = unicoro::os;
using os::testing::temp_dir;

namespace {

os::helper shell(const std::string& script) {
    os::helper asked;
    asked.arguments = {"/bin/sh", "-c", script};
    return asked;
}

std::string answer_of(const os::helper& asked) {
    const auto answer = os::ask_helper(asked);
    REQUIRE(answer.has_value());
    REQUIRE(answer->text.has_value());
    CHECK(answer->status == 0);
    return *answer->text;
}

}  // namespace

TEST_CASE("a helper starts in the folder and with the environment that it was given") {
    const temp_dir folder;
    os::helper asked = shell("echo $NAME; pwd -P; cat");
    asked.directory = std::filesystem::canonical(folder.file("."));
    asked.environment = std::vector<std::string>{"NAME=value"};
    CHECK(answer_of(asked) == "value\n" + asked.directory + "\n");
}

TEST_CASE("a helper answers on the descriptor that it was given") {
    os::helper asked = shell("echo answer >&9; echo other");
    asked.answer_fd = 9;
    CHECK(answer_of(asked) == "answer\n");
}

TEST_CASE("the pipe to a helper may have its number already") {
    os::helper asked;
    {
        // The lowest free one is the pipe's reading end, the next its writing end.
        const os::unique_fd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        asked.answer_fd = lowest.get() + 1;
    }
    asked.arguments = shell("echo answer >&" + std::to_string(asked.answer_fd)).arguments;
    CHECK(answer_of(asked) == "answer\n");
}

TEST_CASE("a helper starts with no signal blocked or ignored") {
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto ignored = std::signal(SIGUSR2, SIG_IGN);
    const auto killed_by_1 = os::ask_helper(shell("kill -USR1 $$"));
    const auto killed_by_2 = os::ask_helper(shell("kill -USR2 $$"));
    std::signal(SIGUSR2, ignored);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    REQUIRE(killed_by_1.has_value());
    REQUIRE(killed_by_2.has_value());
    CHECK(WTERMSIG(killed_by_1->status) == SIGUSR1);
    CHECK(WTERMSIG(killed_by_2->status) == SIGUSR2);
}

TEST_CASE("a helper that cannot be started is told by its reason") {
    os::helper asked;
    asked.arguments = {"/nonexistent/program"};
    const auto no_program = os::ask_helper(asked);
    CHECK(no_program.error().code == os::system_error(ENOENT));
    asked = shell("true");
    asked.directory = "/nonexistent";
    const auto no_folder = os::ask_helper(asked);
    CHECK(no_folder.error().code == os::system_error(ENOENT));
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a helper that takes too long is killed") {
    os::helper asked = shell("exec tail -f /dev/null");
    asked.patience = std::chrono::milliseconds(50);
    const auto answer = os::ask_helper(asked);
    REQUIRE(answer.has_value());
    CHECK(!answer->text.has_value());
    CHECK(WTERMSIG(answer->status) == SIGKILL);
}

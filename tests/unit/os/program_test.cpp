// SPDX-License-Identifier: MIT
#include "os/program.hpp"

#include "os/passed_text.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace os = unicoro::os;
using os::testing::in_child;

namespace {

os::program shell(const std::string& script) {
    return {{"/bin/sh", "-c", script}, {"WORD=said"}, "/"};
}

}  // namespace

TEST_SUITE_BEGIN("program");

TEST_CASE("variables are set in the place of others, and forgotten") {
    os::program made{{}, {"A=1", "AB=2", "B=3"}, {}};
    made.set("A", "x=y");
    constexpr std::array<std::string_view, 2> names{"B", "C"};
    made.forget(names);
    CHECK(made.environment == std::vector<std::string>{"AB=2", "A=x=y"});
}

TEST_CASE("a child has its words, environment and folder, and what it is passed") {
    const auto text = os::pass_text("test", "passed on");
    REQUIRE(text.has_value());
    const auto pipe = os::testing::make_pipe();
    const std::string fd = std::to_string(text->get());
    const std::array<int, 1> kept{text->get()};
    const auto pid = os::start_program(
        shell("echo $WORD; pwd; cat <&" + fd + "; echo >&2; exit 7"), kept, pipe.write.get()
    );
    REQUIRE(pid.has_value());
    int status = 0;
    REQUIRE(waitpid(*pid, &status, 0) == *pid);
    CHECK(WEXITSTATUS(status) == 7);
    std::array<char, 100> said{};
    const ssize_t got = read(pipe.read.get(), said.data(), said.size());
    CHECK(std::string_view(said.data(), static_cast<std::size_t>(got)) == "said\n/\npassed on\n");
    CHECK((fcntl(text->get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("what cannot begin says why, and leaves this process as it is") {
    const auto text = os::pass_text("test", "");
    REQUIRE(text.has_value());
    const std::array<int, 1> kept{text->get()};
    os::program made{{"/nowhere/at/all"}, {}, "/"};
    const auto begun = os::start_program(made, kept, STDERR_FILENO);
    REQUIRE(begun.has_error());
    CHECK(begun.error().message == "cannot run /nowhere/at/all in /: No such file or directory");
    CHECK(in_child([&] {
              return os::become_program(made, kept).code == os::system_error(ENOENT) &&
                             (fcntl(kept[0], F_GETFD) & FD_CLOEXEC) != 0
                         ? 0
                         : 1;
          }) == 0);
}

TEST_CASE("this process becomes the program") {
    CHECK(in_child([] {
              (void)os::become_program(shell("test $WORD = said && exit 5"), {});
              return 1;
          }) == 5);
}

TEST_SUITE_END();

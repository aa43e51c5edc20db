// SPDX-License-Identifier: MIT
#include "os/cpu_time.hpp"
#include "os/process.hpp"

#include "support/doctest.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>

using namespace unicoro;
using namespace std::chrono_literals;

namespace {

std::chrono::nanoseconds own() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

void compute(std::chrono::nanoseconds length) {
    for (const auto end = own() + length; own() < end;) {
    }
}

}  // namespace

TEST_SUITE_BEGIN("CPU time");

TEST_CASE("what a process has used") {
    compute(50ms);
    const auto used = os::cpu_time(getpid());
    REQUIRE(used.has_value());
    CHECK(*used > 20ms);
    CHECK(*used <= own() + 20ms);
    CHECK_FALSE(os::cpu_time(-1).has_value());
}

TEST_CASE("what a child has used is told at its end, and not less than before") {
    const auto forked = os::fork_process();
    REQUIRE(forked.has_value());
    if (*forked == 0) {
        compute(60ms);
        pause();
    }
    std::optional<std::chrono::nanoseconds> before;
    while (!before || *before < 40ms) {
        usleep(1000);
        before = os::cpu_time(*forked);
    }
    REQUIRE_FALSE(os::send_signal(*forked, SIGKILL));
    std::optional<os::ended_child> ended;
    while (!ended) {
        usleep(1000);
        ended = os::reap_child();
    }
    CHECK(ended->pid == *forked);
    CHECK(ended->cpu >= *before);
    CHECK(ended->cpu < 10s);
}

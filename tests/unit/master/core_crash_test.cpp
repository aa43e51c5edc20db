// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

TEST_SUITE_BEGIN("core: ends of workers");

TEST_CASE("what the log says of an end") {
    struct row {
        const char* what;
        int status;
        lines expected;
    };
    const row rows[] = {
        {"kill -9 or the OOM killer",
         SIGKILL,
         {"error: Worker (pid:101) was sent SIGKILL! Perhaps out of memory? It lived for 20.0 s",
          "requests of 101 (error)",
          "lost with 101"}},
        {"a crash",
         SIGSEGV,
         {"warning: Worker (pid:101) was sent SIGSEGV! It lived for 20.0 s",
          "requests of 101 (warning)",
          "lost with 101"}},
        {"a polite end from outside",
         SIGTERM,
         {"info: Worker (pid:101) was sent SIGTERM! It lived for 20.0 s",
          "requests of 101 (info)",
          "lost with 101"}},
        {"an exit code",
         1 << 8,
         {"error: Worker (pid:101) exited with code 1 after 20.0 s",
          "requests of 101 (error)",
          "lost with 101"}},
        {"sys.exit(0)", 0, {"info: Worker (pid:101) exited after 20.0 s"}},
        {"a boot code after it was ready",
         3 << 8,
         {"error: Worker (pid:101) exited with code 3 after 20.0 s",
          "requests of 101 (error)",
          "lost with 101"}},
    };
    for (const row& each : rows) {
        CAPTURE(each.what);
        core_driver world({1});
        world.start_ready();
        world.run(20s);
        lines expected = each.expected;
        expected.emplace_back("spawn slot 0 age 2 generation 1");
        CHECK(world.feed(event::child_ended{101, each.status, {}}) == expected);
    }
}

TEST_CASE("an unknown child is only noted") {
    core_driver world({1});
    world.start_ready();
    CHECK(world.exits(4711, 1) == lines{"debug: Reaped unknown child (pid:4711)"});
}

TEST_CASE("an application that cannot boot stops everything with gunicorn's code and words") {
    struct row {
        int code;
        const char* message;
    };
    for (const row each : {row{3, "error: Worker failed to boot."}, row{4, "error: App failed to load."}}) {
        core_driver world({3});
        world.start();
        CHECK(
            world.exits(102, each.code) ==
            lines{
                fmt::format("error: Worker (pid:102) exited with code {} after 0.0 s", each.code),
                "requests of 102 (error)",
                "lost with 102",
                each.message,
                "stop listening",
                "notify stopping",
                "kill 101 SIGTERM",
                "kill 103 SIGTERM"
            }
        );
        // The others fail the same way: gunicorn lost its exit code here.
        CHECK(only(world.exits(101, each.code), "exit").empty());
        CHECK(only(world.exits(103, each.code), "exit") == lines{fmt::format("exit {}", each.code)});
        CHECK(world.pass(1s).empty());
    }
}

TEST_CASE("after the first worker was ready, failing to boot is a crash like others") {
    core_driver world({2});
    world.start();
    world.ready(101);
    CHECK(only(world.exits(102, 4), "spawn") == lines{"spawn slot 1 age 3 generation 1"});
    const lines second = world.exits(103, 4);
    CHECK(only(second, "spawn").empty());
    CHECK(
        only(second, "warning") ==
        lines{"warning: Workers die soon after they start (2 times in a row): the next one starts in "
              "0.1 s"}
    );
}

TEST_CASE("a crash loop slows down to one attempt in 30 s") {
    core_driver world({1});
    world.start();
    pid_t pid = 101;
    const instant delays[] = {
        0ms,
        100ms,
        200ms,
        400ms,
        800ms,
        1600ms,
        3200ms,
        6400ms,
        12'800ms,
        25'600ms,
        30s,
        30s,
    };
    for (const instant delay : delays) {
        CAPTURE(delay.count());
        lines after = world.killed(pid, SIGSEGV);
        if (delay > 0ms) {
            CHECK(only(after, "spawn").empty());
            CHECK(only(world.pass(delay - 1ms), "spawn").empty());
            after = world.pass(1ms);
        }
        REQUIRE(only(after, "spawn").size() == 1);
        ++pid;
    }
}

TEST_CASE("the wake-up for a delayed spawn is exact") {
    core_driver world({1});
    world.start();
    world.exits(101, 1);
    world.exits(102, 1);
    CHECK(world.machine().wake_at() == 1000s + 100ms);
}

TEST_CASE("workers that die together count once") {
    core_driver world({8});
    world.start_ready();
    world.run(1s);
    for (pid_t pid = 101; pid <= 108; ++pid) {
        CHECK(only(world.killed(pid, SIGKILL), "spawn").size() == 1);
    }
    // The whole second set as well: one delay, then all of them.
    for (pid_t pid = 109; pid <= 116; ++pid) CHECK(only(world.killed(pid, SIGKILL), "spawn").empty());
    CHECK(only(world.pass(100ms), "spawn").size() == 8);
}

TEST_CASE("a healthy worker that is killed is replaced at once, every time") {
    core_driver world({1});
    world.start_ready();
    for (pid_t pid = 101; pid < 110; ++pid) {
        world.run(6s);
        CHECK(only(world.killed(pid, SIGKILL), "spawn").size() == 1);
        world.ready(pid + 1);
    }
}

TEST_CASE("calm ends a crash loop") {
    core_driver world({2});
    world.start_ready();
    world.run(10s);
    for (const pid_t pid : {102, 103, 104, 105}) {
        world.killed(pid, SIGSEGV);
        world.run(1s);
    }
    world.ready(106);
    world.run(6s);
    CHECK(only(world.killed(106, SIGSEGV), "spawn").size() == 1);
    CHECK(only(world.killed(107, SIGSEGV), "spawn").size() == 1);  // the first young death again
    CHECK(only(world.killed(108, SIGSEGV), "spawn").empty());
}

TEST_CASE("a neighbour that lives long does not end a crash loop") {
    core_driver world({2});
    world.start_ready();
    world.run(100s);
    CHECK(only(world.killed(102, SIGSEGV), "spawn").size() == 1);
    CHECK(only(world.exits(103, 1), "spawn").size() == 1);
    CHECK(only(world.exits(104, 1), "spawn").empty());
    CHECK(only(world.run(1s), "spawn").size() == 1);
    CHECK(only(world.exits(105, 1), "spawn").empty());
    CHECK(only(world.pass(199ms), "spawn").empty());
    CHECK(only(world.pass(1ms), "spawn").size() == 1);
}

TEST_CASE("a fork that fails is tried again, ever more slowly") {
    core_driver world({1});
    world.break_fork();
    const lines first = world.start();
    CHECK(
        only(first, "error") ==
        lines{"error: Cannot start a worker: no memory", "error: Cannot start a worker: no memory"}
    );
    CHECK(only(first, "warning").size() == 1);
    CHECK(only(world.pass(99ms), "spawn").empty());
    CHECK(only(world.pass(1ms), "spawn").size() == 1);
}

TEST_SUITE_END();

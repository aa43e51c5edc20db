// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;
using unicoro::scoreboard::happening;

namespace {

limits watched(int workers) {
    limits values;
    values.workers = workers;
    values.monitor = true;
    return values;
}

std::uint64_t happened(const core_driver& world, happening what) {
    return world.machine().happened()[static_cast<std::size_t>(what)];
}

}  // namespace

TEST_SUITE_BEGIN("core: the monitor");

TEST_CASE("there is one from the start, and it ends with the last worker") {
    core_driver world(watched(1));
    CHECK(only(world.start(), "monitor") == lines{"monitor generation 1"});
    world.ready(101);
    CHECK(world.run(60s).empty());
    CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 101 SIGTERM"});
    // Who asks is told of the end.
    CHECK(only(world.exits(101, 0), "kill") == lines{"kill 951 SIGTERM"});
    CHECK(only(world.exits(951, 0), "exit") == lines{"exit 0"});
}

TEST_CASE("one that does not end is killed") {
    core_driver world(watched(1));
    world.start_ready();
    world.signal(SIGTERM);
    world.exits(101, 0);
    CHECK(only(world.run(1500ms), "kill") == lines{"kill 951 SIGKILL"});
    CHECK(only(world.killed(951, SIGKILL), "exit") == lines{"exit 0"});
}

TEST_CASE("one that dies is replaced, later and later while they die young, and no worker with it") {
    core_driver world(watched(1));
    world.start_ready();
    world.run(10s);
    CHECK(
        world.killed(951, SIGSEGV) ==
        lines{"error: The monitor (pid:951) was sent SIGSEGV!; another one starts in 0.1 s"}
    );
    CHECK(world.run(100ms) == lines{"monitor generation 1"});
    CHECK(only(world.exits(952, 1), "error")
              .front()
              .ends_with("exited with code 1; another one starts in 0.2 s"));
    CHECK(world.run(100ms).empty());
    CHECK(world.run(100ms) == lines{"monitor generation 1"});
    CHECK(only(world.exits(953, 1), "error").front().ends_with("0.4 s"));
    CHECK(world.run(400ms) == lines{"monitor generation 1"});
    CHECK(world.run(10s).empty());
    CHECK(only(world.exits(954, 1), "error").front().ends_with("0.1 s"));
    CHECK(happened(world, happening::monitor_ended) == 4);
    CHECK(world.alive() == 1);
}

TEST_CASE("one that cannot be forked is tried again") {
    core_driver world(watched(1));
    world.hold_monitors();
    world.start_ready();
    CHECK(
        world.feed(event::monitor_failed{1, "no memory"}) ==
        lines{"error: Cannot start the monitor: no memory"}
    );
    CHECK(world.run(200ms) == lines{"monitor generation 1"});
}

TEST_CASE("a reload brings another one before the former goes") {
    core_driver world(watched(1));
    world.start_ready();
    CHECK(only(world.accept(2, watched(1)), "monitor").empty());
    const lines complete = world.ready(102);
    CHECK(only(complete, "monitor") == lines{"monitor generation 2"});
    CHECK(only(complete, "kill 951") == lines{"kill 951 SIGTERM"});
    CHECK(only(world.exits(951, 0), "error").empty());
    CHECK(happened(world, happening::monitor_ended) == 0);
    CHECK(happened(world, happening::reload_completed) == 1);
}

TEST_CASE("a reload can end it, and bring it") {
    core_driver world(watched(1));
    world.start_ready();
    limits without = watched(1);
    without.monitor = false;
    world.accept(2, without);
    const lines complete = world.ready(102);
    CHECK(only(complete, "monitor").empty());
    CHECK(only(complete, "kill 951") == lines{"kill 951 SIGTERM"});
    world.exits(951, 0);
    world.exits(101, 0);
    world.accept(3, watched(1));
    CHECK(only(world.ready(103), "monitor") == lines{"monitor generation 3"});
}

TEST_CASE("a reload that fails leaves it alone") {
    core_driver world(watched(1));
    world.start_ready();
    world.accept(2, watched(1));
    CHECK(only(world.exits(102, 3), "kill 951").empty());
    CHECK(world.run(5s).empty());
    CHECK(happened(world, happening::reload_failed) == 1);
    world.refuse({"no"});
    CHECK(happened(world, happening::reload_refused) == 1);
}

TEST_CASE("the successor of a program has its own at once") {
    core_driver world(watched(1));
    world.inherit({{0, 55, instant(900s), {}}});
    CHECK(only(world.start(), "monitor") == lines{"monitor generation 1"});
    const lines complete = world.ready(101);
    CHECK(only(complete, "kill") == lines{"kill 55 SIGTERM"});
    CHECK(only(complete, "monitor").empty());
    CHECK(happened(world, happening::upgrade_completed) == 1);
}

TEST_CASE("workers are counted by why they end") {
    limits values = watched(4);
    values.timeout = 5s;
    core_driver world(values);
    world.start_ready();
    world.run(10s);
    CHECK(happened(world, happening::worker_started) == 4);
    world.exits(101, 0);
    world.exits(102, 7);
    world.killed(103, SIGSEGV);
    CHECK(happened(world, happening::worker_exited) == 1);
    CHECK(happened(world, happening::worker_failed) == 1);
    CHECK(happened(world, happening::worker_signalled) == 1);
    world.run(6s, 104);
    world.killed(104, SIGABRT);
    CHECK(happened(world, happening::worker_timed_out) == 1);
    CHECK(happened(world, happening::worker_started) >= 8);
    world.feed(event::child_ended{105, SIGKILL, {true, 1, "memory.events"}});
    CHECK(happened(world, happening::worker_starved) == 1);
    world.signal(SIGTERM);
    world.exits(106, 0);
    CHECK(happened(world, happening::worker_ended) == 1);
}

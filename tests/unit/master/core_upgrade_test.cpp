// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

namespace {

constexpr pid_t trial = 900;

// Workers 101 and 102 serve, and a trial runs as 900.
core_driver upgrading(limits values = {2}) {
    core_driver world(values);
    world.start_ready();
    world.run(10s);
    world.signal(SIGUSR2);
    world.feed(event::trial_started{trial});
    return world;
}

// The successor of a program with workers 11 (serving) and 12 (told to end); 101 boots.
core_driver taking_over(limits values = {1}) {
    core_driver world(values);
    world.inherit({{0, 11, 900s, {}}, {1, 12, 900s, 1005s}});
    world.start();
    return world;
}

}  // namespace

TEST_SUITE_BEGIN("core: upgrade");

TEST_CASE("USR2 has the program tried out, and this process becomes it") {
    core_driver world({1});
    world.start_ready();
    CHECK(world.signal(SIGUSR2) == lines{"info: Handling signal: usr2", "start trial"});
    CHECK(
        world.feed(event::trial_started{trial}) ==
        lines{"info: Upgrade: the program is tried out (pid:900), with one worker"}
    );
    CHECK(world.run(30s).empty());
    CHECK(
        world.exits(trial, 0) ==
        lines{
            "info: Upgrade: the program can serve; this process becomes it",
            "notify reloading",
            "become successor"
        }
    );
}

TEST_CASE("a server that is about to stop becomes no other program") {
    limits values{2};
    values.shutdown_delay = 5s;
    core_driver world = upgrading(values);
    CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 900 SIGTERM"});
    CHECK(world.exits(trial, 0).empty());
    CHECK(only(world.signal(SIGUSR2), "start").empty());
    CHECK(only(world.run(5s), "kill") == lines{"kill 101 SIGTERM", "kill 102 SIGTERM"});
}

TEST_CASE("a trial that fails changes nothing") {
    core_driver world = upgrading();
    SUBCASE("by its code") {
        CHECK(
            world.exits(trial, 4) == lines{"error: Upgrade refused: the program cannot serve: it ended with "
                                           "code 4, the lines before say "
                                           "why. The running program and its workers stay as they are"}
        );
    }
    SUBCASE("by a signal") {
        CHECK(only(world.killed(trial, SIGSEGV), "error: Upgrade refused").size() == 1);
    }
    SUBCASE("before it has begun") {
        CHECK(
            only(world.feed(event::upgrade_failed{"no memory"}), "error: Upgrade refused: no mem").size() == 1
        );
    }
    CHECK(world.run(60s).empty());
    CHECK(world.alive() == 2);
    CHECK(only(world.signal(SIGUSR2), "start trial").size() == 1);
}

TEST_CASE("an exec that fails changes nothing, and the service manager is told") {
    core_driver world = upgrading();
    world.exits(trial, 0);
    const lines said = world.feed(event::upgrade_failed{"cannot run it"});
    CHECK(only(said, "error: Upgrade refused: cannot run it").size() == 1);
    CHECK(only(said, "notify ready").size() == 1);
    CHECK(world.run(60s).empty());
}

TEST_CASE("a trial has a limit, and is ended with a warning first") {
    core_driver world = upgrading();
    // boot_timeout, graceful_timeout, and a minute
    CHECK(world.run(149s).empty());
    CHECK(world.run(2s) == lines{"kill 900 SIGTERM"});
    CHECK(world.run(33s).empty());
    CHECK(world.run(5s) == lines{"kill 900 SIGKILL"});
    CHECK(
        only(world.killed(trial, SIGKILL), "error: Upgrade refused: the program was not ready in time")
            .size() == 1
    );
}

TEST_CASE("one upgrade at a time") {
    core_driver world = upgrading();
    CHECK(
        world.signal(SIGUSR2) ==
        lines{"info: Handling signal: usr2", "warning: USR2 does nothing: an upgrade is under way already"}
    );
    core_driver successor = taking_over();
    CHECK(only(successor.signal(SIGUSR2), "warning: USR2 does nothing").size() == 1);
}

TEST_CASE("an upgrade waits for a reload, whatever becomes of it") {
    core_driver world({1});
    world.start_ready();
    world.run(10s);
    world.signal(SIGHUP);
    world.accept(2, {1});
    CHECK(
        world.signal(SIGUSR2) ==
        lines{"info: Handling signal: usr2", "info: The upgrade waits for the reload that is under way"}
    );
    SUBCASE("good") {
        CHECK(only(world.ready(102), "start trial").size() == 1);
    }
    SUBCASE("bad") {
        CHECK(only(world.exits(102, 4), "start trial").size() == 1);
    }
}

TEST_CASE("an upgrade waits for the first workers") {
    core_driver world({1});
    world.start();
    CHECK(only(world.signal(SIGUSR2), "start trial").empty());
    CHECK(only(world.ready(101), "start trial").size() == 1);
}

TEST_CASE("a reload waits for a trial") {
    core_driver world = upgrading();
    CHECK(only(world.signal(SIGHUP), "reload settings").empty());
    SUBCASE("and comes after one that fails") {
        CHECK(only(world.exits(trial, 3), "reload settings").size() == 1);
        CHECK(only(world.run(5s), "reload settings").empty());
    }
    SUBCASE("and is part of one that succeeds") {
        const lines said = world.exits(trial, 0);
        CHECK(only(said, "info: The upgrade reads the settings anew").size() == 1);
        CHECK(only(said, "reload settings").empty());
    }
}

TEST_CASE("a stop ends the trial too, and waits for it") {
    core_driver world = upgrading();
    CHECK(only(world.signal(SIGTERM), "kill 900 SIGTERM").size() == 1);
    world.exits(101, 0);
    CHECK(only(world.exits(102, 0), "exit").empty());
    SUBCASE("it ends") {
        const lines said = world.exits(trial, 1);
        CHECK(only(said, "exit 0").size() == 1);
        CHECK(only(said, "error").empty());
    }
    SUBCASE("it does not") {
        CHECK(only(world.run(40s), "kill 900 SIGKILL").size() == 1);
    }
    SUBCASE("it is hurried") {
        CHECK(only(world.signal(SIGINT), "kill 900 SIGQUIT").size() == 1);
    }
}

TEST_CASE("a trial that a stop overtakes is ended when it has begun") {
    core_driver world({1});
    world.start_ready();
    world.signal(SIGUSR2);
    world.signal(SIGTERM);
    CHECK(world.feed(event::trial_started{trial}) == lines{"kill 900 SIGTERM"});
}

TEST_CASE("the successor lets the former workers go as its own serve") {
    core_driver world({2});
    world.inherit({{0, 11, 900s, {}}, {1, 12, 900s, {}}});
    CHECK(only(world.start(), "spawn") == lines{"spawn slot 2 age 1 generation 1"});
    CHECK(world.run(20s).empty());
    CHECK(only(world.ready(101), "kill") == lines{"kill 11 SIGTERM"});
    const lines said = world.ready(102);
    CHECK(only(said, "kill") == lines{"kill 12 SIGTERM"});
    CHECK(only(said, "info: Upgrade complete: 2 new workers serve").size() == 1);
    CHECK(only(said, "settle 1").size() == 1);
    CHECK(only(said, "notify ready").size() == 1);
    CHECK(only(world.exits(11, 0), "error").empty());
}

TEST_CASE("former workers are not heard, and not taken for silent") {
    core_driver world({1, 1s});
    world.inherit({{0, 11, 900s, {}}});
    world.start();
    CHECK(only(world.pass(3s), "critical").empty());
}

TEST_CASE("those that were told to end keep their limit") {
    core_driver world = taking_over();
    CHECK(only(world.run(6s), "kill 12 SIGKILL").size() == 1);
}

TEST_CASE("a successor that cannot boot tries again while former workers serve") {
    core_driver world = taking_over();
    world.exits(12, 0);
    for (pid_t young = 101; young < 105; ++young) {
        const lines said = world.exits(young, 4);
        CHECK(only(said, "error: Upgrade: App failed to load. The former workers keep serving").size() == 1);
        CHECK(only(said, "kill 11").empty());
        world.run(2s);
        CHECK(world.alive() == 2);
    }
    const lines said = world.ready(105);
    CHECK(only(said, "info: Upgrade complete").size() == 1);
    CHECK(only(said, "kill 11 SIGTERM").size() == 1);
}

TEST_CASE("without them it ends as at a start") {
    core_driver world = taking_over();
    world.exits(12, 0);
    CHECK(only(world.exits(11, 1), "spawn").empty());
    CHECK(only(world.exits(101, 4), "exit 4").size() == 1);
}

TEST_CASE("a reload waits until the successor has taken over") {
    core_driver world = taking_over();
    CHECK(only(world.signal(SIGHUP), "reload settings").empty());
    CHECK(only(world.ready(101), "reload settings").size() == 1);
}

TEST_CASE("the strength that TTIN has made stays with equal settings") {
    core_driver world({2});
    world.inherit({{0, 11, 900s, {}}});
    SUBCASE("equal") {
        world.resume_strength(2, 3);
        CHECK(world.machine().strength() == 3);
    }
    SUBCASE("other") {
        world.resume_strength(4, 3);
        CHECK(world.machine().strength() == 2);
    }
}

TEST_CASE("what is passed on of the workers") {
    core_driver world({2});
    world.start_ready();
    world.signal(SIGTTOU);
    const auto left = world.machine().legacy();
    REQUIRE(left.size() == 2);
    CHECK(left[0].pid == 101);
    CHECK(left[0].leaves_by.has_value());
    CHECK(!left[1].leaves_by.has_value());
}

TEST_CASE("a trial: one worker, and the end when it is ready") {
    core::options shape{64, 16, false, true};
    core_driver world({3}, shape);
    CHECK(only(world.start(), "spawn").size() == 1);
    SUBCASE("ready") {
        const lines said = world.ready(101);
        CHECK(only(said, "notify ready").empty());
        CHECK(only(said, "kill 101 SIGTERM").size() == 1);
        CHECK(only(world.exits(101, 0), "exit 0").size() == 1);
    }
    SUBCASE("does not load") {
        CHECK(only(world.exits(101, 4), "exit 4").size() == 1);
    }
    SUBCASE("dies") {
        CHECK(only(world.killed(101, SIGSEGV), "exit 3").size() == 1);
    }
    SUBCASE("is told to end before") {
        world.signal(SIGTERM);
        CHECK(only(world.exits(101, 0), "exit 1").size() == 1);
    }
    SUBCASE("minds no other signal") {
        for (const int number : {SIGHUP, SIGTTIN, SIGUSR2}) CHECK(world.signal(number).size() == 1);
    }
}

TEST_SUITE_END();

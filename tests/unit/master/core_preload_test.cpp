// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

namespace {

limits preloaded(int workers) {
    limits values;
    values.workers = workers;
    values.preload = true;
    return values;
}

const event::preloader_ready first_ready{1};

/// A world whose first generation serves.
void serve(core_driver& world) {
    world.start();
    world.feed(first_ready);
    world.ready(101);
    world.ready(102);
    world.run(10s);
}

}  // namespace

TEST_SUITE_BEGIN("core: preloading");

TEST_CASE("workers are forked once the application is loaded") {
    core_driver world(preloaded(2));
    CHECK(world.start() == lines{"preload generation 1"});
    CHECK(world.run(20s).empty());
    CHECK(
        world.feed(first_ready) ==
        lines{
            "info: The application is loaded in the process (pid:901) that forks the workers",
            "spawn slot 0 age 1 generation 1",
            "spawn slot 1 age 2 generation 1"
        }
    );
    CHECK(world.feed(first_ready).empty());
    world.ready(101);
    CHECK(only(world.ready(102), "notify") == lines{"notify ready"});
    CHECK(world.run(60s).empty());
}

TEST_CASE("an application that does not load ends the master") {
    core_driver world(preloaded(2));
    world.start();
    CHECK(
        world.exits(901, 4) ==
        lines{
            "error: The process that loads the application (pid:901) exited with code 4",
            "error: App failed to load.",
            "stop listening",
            "notify stopping",
            "info: Shutting down: Master",
            "exit 4"
        }
    );
}

TEST_CASE("loading has boot_timeout") {
    limits values = preloaded(1);
    values.boot_timeout = 10s;
    core_driver world(values);
    world.start();
    CHECK(world.run(9'500ms).empty());
    CHECK(
        world.run(500ms) ==
        lines{
            "error: The process that loads the application (pid:901) is not ready after boot_timeout",
            "kill 901 SIGABRT"
        }
    );
    CHECK(world.run(1'500ms).empty());
    CHECK(world.run(500ms) == lines{"kill 901 SIGKILL"});
    CHECK(
        world.killed(901, SIGKILL) ==
        lines{
            "error: The process that loads the application (pid:901) was sent SIGKILL!",
            "preload generation 1"
        }
    );
}

TEST_CASE("one that dies is made again before a worker needs it") {
    core_driver world(preloaded(2));
    serve(world);
    CHECK(
        world.killed(901, SIGKILL) ==
        lines{
            "error: The process that has the application (pid:901) was sent SIGKILL!", "preload generation 1"
        }
    );
    SUBCASE("and a worker that dies meanwhile waits for it") {
        CHECK(only(world.exits(101, 0), "spawn").empty());
        CHECK(only(world.feed(first_ready), "spawn") == lines{"spawn slot 0 age 3 generation 1"});
    }
    SUBCASE("and if it cannot be, the workers stay, and it is tried more and more slowly") {
        CHECK(only(world.exits(902, 4), "preload") == lines{"preload generation 1"});
        CHECK(only(world.exits(903, 4), "preload").empty());
        CHECK(only(world.run(100ms), "preload") == lines{"preload generation 1"});
        CHECK(only(world.exits(904, 4), "preload").empty());
        CHECK(only(world.run(100ms), "preload").empty());
        CHECK(world.alive() == 3 - 1);
    }
}

TEST_CASE("a fork that fails is tried again") {
    core_driver world(preloaded(1));
    world.break_fork();
    const lines told = world.start();
    CHECK(
        only(told, "error") ==
        lines{
            "error: Cannot start the process that loads the application: no memory",
            "error: Cannot start the process that loads the application: no memory"
        }
    );
    const auto attempts = [&world](instant length) { return only(world.run(length), "preload").size(); };
    CHECK(attempts(100ms) == 1);
    CHECK(attempts(199ms) == 0);
    CHECK(attempts(1ms) == 1);
    CHECK(attempts(399ms) == 0);
    CHECK(attempts(1ms) == 1);
}

TEST_CASE("a reload loads the application anew, beside the old one") {
    core_driver world(preloaded(2));
    serve(world);
    world.signal(SIGHUP);
    CHECK(only(world.accept(2, preloaded(2)), "preload") == lines{"preload generation 2"});
    SUBCASE("good: the old one goes when a worker of the new one serves") {
        CHECK(
            only(world.feed(event::preloader_ready{2}), "spawn") == lines{"spawn slot 2 age 3 generation 2"}
        );
        const lines proven = world.ready(103);
        CHECK(only(proven, "kill") == lines{"kill 901 SIGTERM", "kill 101 SIGTERM"});
        CHECK(only(proven, "spawn") == lines{"spawn slot 3 age 4 generation 2"});
        CHECK(world.exits(901, 0) == lines{"debug: The process with the application (pid:901) has ended"});
        CHECK(only(world.ready(104), "settle") == lines{"settle 2"});
    }
    SUBCASE("bad: the old one stays, with its workers") {
        const lines told = world.exits(902, 4);
        CHECK(only(told, "abandon") == lines{"abandon 2"});
        CHECK(only(told, "error").size() == 2);
        CHECK(only(told, "kill").empty());
        CHECK(only(world.exits(101, 0), "spawn") == lines{"spawn slot 0 age 3 generation 1"});
    }
    SUBCASE("a worker of the old one that dies meanwhile is forked by the old one") {
        CHECK(only(world.exits(101, 0), "spawn") == lines{"spawn slot 0 age 3 generation 1"});
    }
    SUBCASE("another reload takes the place of one that still loads") {
        const lines told = world.accept(3, preloaded(2));
        CHECK(only(told, "abandon") == lines{"abandon 2"});
        CHECK(only(told, "kill") == lines{"kill 902 SIGTERM"});
        CHECK(only(told, "preload") == lines{"preload generation 3"});
    }
    SUBCASE("settings without it need none") {
        limits plain;
        plain.workers = 2;
        CHECK(only(world.accept(3, plain), "spawn") == lines{"spawn slot 2 age 3 generation 3"});
        CHECK(only(world.ready(103), "kill 901") == lines{"kill 901 SIGTERM"});
    }
}

TEST_CASE("a worker that is not there yet hears of no signal, and has no time limit") {
    limits values = preloaded(2);
    values.boot_timeout = 10s;
    core_driver world(values);
    world.start();
    world.hold_forks();
    CHECK(only(world.feed(first_ready), "spawn").size() == 2);
    CHECK(world.run(20s).empty());
    CHECK(world.machine().wake_at() > 1020s);
    SUBCASE("it boots from when it is forked") {
        CHECK(world.feed(event::spawned{0, 101}).empty());
        CHECK(world.run(9'500ms).empty());
        CHECK(only(world.run(1s), "kill") == lines{"kill 101 SIGABRT"});
    }
    SUBCASE("one that is not wanted any more is told then") {
        CHECK(only(world.signal(SIGTTOU), "kill").empty());
        CHECK(only(world.feed(event::spawned{0, 101}), "kill") == lines{"kill 101 SIGTERM"});
        CHECK(world.feed(event::spawned{1, 102}).empty());
    }
    SUBCASE("and if it fails then, nobody minds") {
        world.signal(SIGTTOU);
        CHECK(world.feed(event::spawn_failed{0, "no memory"}).empty());
    }
    SUBCASE("the end of the process that was to fork it is that of the order") {
        CHECK(only(world.killed(901, SIGKILL), "preload").size() == 1);
        CHECK(world.run(5s).empty());
        CHECK(
            only(world.feed(first_ready), "spawn") ==
            lines{"spawn slot 0 age 3 generation 1", "spawn slot 1 age 4 generation 1"}
        );
    }
    SUBCASE("a stop does not wait for it longer than for the process that forks") {
        CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 901 SIGTERM"});
        CHECK(only(world.killed(901, SIGTERM), "exit") == lines{"exit 0"});
    }
    SUBCASE("a stop tells it, too") {
        world.signal(SIGQUIT);
        CHECK(only(world.feed(event::spawned{0, 101}), "kill") == lines{"kill 101 SIGTERM"});
        CHECK(only(world.killed(901, SIGTERM), "exit").empty());
        CHECK(only(world.killed(101, SIGTERM), "exit") == lines{"exit 0"});
    }
}

TEST_CASE("a second signal hurries it") {
    core_driver world(preloaded(1));
    world.start();
    world.feed(first_ready);
    world.ready(101);
    world.signal(SIGTERM);
    world.exits(101, 0);
    CHECK(only(world.run(1s), "kill").empty());
    world.signal(SIGTERM);
    CHECK(only(world.run(2s), "kill") == lines{"kill 901 SIGKILL"});
}

TEST_CASE("a stop ends it too, by force if need be") {
    core_driver world(preloaded(1));
    world.start();
    world.feed(first_ready);
    world.ready(101);
    CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 901 SIGTERM", "kill 101 SIGTERM"});
    CHECK(only(world.exits(101, 0), "exit").empty());
    CHECK(only(world.run(5s), "kill") == lines{"kill 901 SIGKILL"});
    CHECK(only(world.killed(901, SIGKILL), "exit") == lines{"exit 0"});
}

TEST_SUITE_END();

// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

namespace {

// Workers 101 to 103 serve and HUP has been answered with good settings: 104 boots alone.
core_driver reloading(limits values = {3}) {
    core_driver world({3});
    world.start_ready();
    world.run(10s);
    world.signal(SIGHUP);
    world.accept(2, values);
    return world;
}

}  // namespace

TEST_SUITE_BEGIN("core: reload");

TEST_CASE("HUP asks for the settings") {
    core_driver world({1});
    world.start_ready();
    CHECK(world.signal(SIGHUP) == lines{"info: Handling signal: hup", "notify reloading", "reload settings"});
}

TEST_CASE("bad settings change nothing and are told") {
    core_driver world({1});
    world.start_ready();
    world.signal(SIGHUP);
    CHECK(
        world.refuse({"workers: -1 is too small", "bind: no port"}) ==
        lines{
            "error: Reload: workers: -1 is too small",
            "error: Reload: bind: no port",
            "error: Reload refused: the settings in force and their workers stay",
            "notify ready"
        }
    );
    CHECK(world.run(60s).empty());
}

TEST_CASE("bad settings do not announce a server that is not ready") {
    core_driver world({1});
    world.start();
    world.signal(SIGHUP);
    CHECK(only(world.refuse({"x"}), "notify").empty());
}

TEST_CASE("good settings: one new worker leads, each that serves replaces an old one") {
    core_driver world({3});
    world.start_ready();
    world.signal(SIGHUP);
    CHECK(
        world.accept(2, {3}) ==
        lines{
            "info: Settings read anew: starting the first of 3 new workers", "spawn slot 3 age 4 generation 2"
        }
    );
    CHECK(world.run(5s).empty());
    CHECK(
        world.ready(104) ==
        lines{
            "debug: Worker (pid:104) is ready",
            "spawn slot 4 age 5 generation 2",
            "spawn slot 5 age 6 generation 2",
            "kill 101 SIGTERM"
        }
    );
    CHECK(world.exits(101, 0) == lines{"debug: Worker (pid:101) exited after 5.0 s"});
    CHECK(world.ready(106) == lines{"debug: Worker (pid:106) is ready", "kill 102 SIGTERM"});
    CHECK(
        world.ready(105) ==
        lines{
            "debug: Worker (pid:105) is ready",
            "kill 103 SIGTERM",
            "settle 2",
            "info: Reload complete: 3 new workers serve",
            "notify ready"
        }
    );
    world.exits(102, 0);
    world.exits(103, 0);
    CHECK(world.alive() == 3);
    CHECK(world.run(60s).empty());
}

TEST_CASE("an old worker that does not go is killed after graceful_timeout") {
    auto world = reloading();
    world.ready(104);
    CHECK(only(world.run(30s), "kill") == lines{"kill 101 SIGKILL"});
}

TEST_CASE("another number of workers") {
    SUBCASE("fewer") {
        auto world = reloading({1});
        CHECK(
            world.ready(104) ==
            lines{
                "debug: Worker (pid:104) is ready",
                "kill 101 SIGTERM",
                "kill 102 SIGTERM",
                "kill 103 SIGTERM",
                "settle 2",
                "info: Reload complete: 1 new workers serve",
                "notify ready"
            }
        );
    }
    SUBCASE("more: the old stay until as many new serve") {
        auto world = reloading({5});
        CHECK(only(world.ready(104), "kill").empty());
        CHECK(only(world.ready(105), "kill").empty());
        CHECK(only(world.ready(106), "kill") == lines{"kill 101 SIGTERM"});
    }
    SUBCASE("none") {
        core_driver world({1});
        world.start_ready();
        CHECK(only(world.accept(2, {0}), "kill") == lines{"kill 101 SIGTERM"});
    }
    SUBCASE("what TTIN added stays when the settings do not speak of it") {
        core_driver world({2});
        world.start_ready();
        world.signal(SIGTTIN);
        world.ready(103);
        world.accept(2, {2});
        CHECK(world.machine().strength() == 3);
        world.accept(3, {5});
        CHECK(world.machine().strength() == 5);
    }
}

TEST_CASE("an application that does not load any more leaves the old workers alone") {
    struct row {
        int code;
        const char* reason;
    };
    for (const row each : {row{4, "App failed to load."}, row{3, "Worker failed to boot."}}) {
        auto world = reloading();
        CHECK(
            world.exits(104, each.code) ==
            lines{
                fmt::format("error: Worker (pid:104) exited with code {} after 0.0 s", each.code),
                "requests of 104 (error)",
                "lost with 104",
                fmt::format(
                    "error: Reload failed: {} The workers of the earlier settings keep serving; send "
                    "HUP again when the fault is fixed",
                    each.reason
                ),
                "abandon 2",
                "notify ready"
            }
        );
        CHECK(world.run(60s).empty());
        CHECK(world.alive() == 3);
        // A lost old worker still comes back, and a later reload works.
        CHECK(only(world.killed(101, SIGKILL), "spawn") == lines{"spawn slot 0 age 5 generation 1"});
        world.ready(105);
        CHECK(only(world.accept(3, {3}), "spawn") == lines{"spawn slot 3 age 6 generation 3"});
    }
}

TEST_CASE("a new worker that crashes while it boots has three attempts") {
    auto world = reloading();
    CHECK(only(world.killed(104, SIGSEGV), "spawn").size() == 1);
    CHECK(only(world.killed(105, SIGSEGV), "spawn").empty());
    CHECK(only(world.pass(100ms), "spawn").size() == 1);
    const lines last = world.killed(106, SIGSEGV);
    CHECK(
        only(last, "error") ==
        lines{"error: Reload failed: 3 new workers in a row did not boot. The workers of the earlier "
              "settings keep serving; send HUP again when the fault is fixed"}
    );
    CHECK(only(last, "abandon") == lines{"abandon 2"});
    CHECK(world.run(60s).empty());
}

TEST_CASE("a new worker that hangs while it boots counts as one that failed") {
    auto world = reloading({3, 30s, 30s, 5s});
    CHECK(
        world.run(5s) ==
        lines{
            "error: Worker (pid:104) is not ready after boot_timeout (5 s)",
            "requests of 104 (error)",
            "kill 104 SIGABRT"
        }
    );
    CHECK(only(world.killed(104, SIGABRT), "spawn") == lines{"spawn slot 3 age 5 generation 2"});
}

TEST_CASE("after the first new worker served, failures slow the reload down and do not stop it") {
    auto world = reloading();
    world.ready(104);  // 101 goes, 105 and 106 boot
    const lines after = world.exits(105, 4);
    CHECK(only(after, "abandon").empty());
    CHECK(only(after, "spawn") == lines{"spawn slot 4 age 7 generation 2"});
    CHECK(only(world.exits(107, 4), "warning").size() == 1);
    CHECK(only(world.run(1s), "spawn") == lines{"spawn slot 4 age 8 generation 2"});
}

TEST_CASE("an old worker lost while the first new one boots is replaced by its like") {
    auto world = reloading();
    CHECK(only(world.killed(102, SIGKILL), "spawn") == lines{"spawn slot 1 age 5 generation 1"});
}

TEST_CASE("HUP again") {
    SUBCASE("before the first new worker serves: the attempt is dropped") {
        auto world = reloading();
        CHECK(
            world.accept(3, {3}) ==
            lines{
                "abandon 2",
                "kill 104 SIGTERM",
                "info: Settings read anew: starting the first of 3 new workers",
                "spawn slot 4 age 5 generation 3"
            }
        );
        CHECK(world.exits(104, 0) == lines{"debug: Worker (pid:104) exited after 0.0 s"});
        CHECK(only(world.ready(105), "spawn").size() == 2);
    }
    SUBCASE("half way: what serves goes on serving until the newest replace it") {
        auto world = reloading();
        world.ready(104);  // generation 1: 102, 103; generation 2: 104, booting 105, 106
        world.exits(101, 0);
        CHECK(only(world.accept(3, {3}), "spawn").size() == 1);  // 107 leads
        CHECK(only(world.ready(105), "kill") == lines{"kill 102 SIGTERM"});
        SUBCASE("and it works") {
            const lines after = world.ready(107);
            CHECK(only(after, "spawn").size() == 2);
            // 106 boots in vain; 103 is the oldest that serves.
            CHECK(only(after, "kill") == lines{"kill 106 SIGTERM", "kill 103 SIGTERM"});
            CHECK(only(world.ready(108), "kill") == lines{"kill 104 SIGTERM"});
            const lines last = world.ready(109);
            CHECK(only(last, "kill") == lines{"kill 105 SIGTERM"});
            CHECK(only(last, "settle") == lines{"settle 3"});
        }
        SUBCASE("and it fails: the second generation completes its reload") {
            CHECK(only(world.exits(107, 4), "abandon") == lines{"abandon 3"});
            const lines last = world.ready(106);
            CHECK(only(last, "kill") == lines{"kill 103 SIGTERM"});
            CHECK(only(last, "settle") == lines{"settle 2"});
        }
    }
}

TEST_CASE("TERM during a reload stops both generations") {
    auto world = reloading();
    CHECK(only(world.signal(SIGTERM), "kill").size() == 4);
}

TEST_CASE("a first boot that never worked does not survive a reload that fails to load, but goes on") {
    core_driver world({1});
    world.start();
    world.signal(SIGHUP);
    world.accept(2, {1});
    // The old generation is tried no harder than before: its boot failure is a crash while another waits.
    CHECK(only(world.exits(101, 4), "exit").empty());
    CHECK(only(world.ready(102), "settle") == lines{"settle 2"});
}

TEST_CASE("no slot free: the spawn waits for a draining worker to end") {
    core_driver world({2}, {3, 2, false});
    world.start_ready();
    world.accept(2, {2});
    CHECK(only(world.ready(103), "spawn").empty());  // 101 drains, its slot is not free yet
    CHECK(only(world.exits(101, 0), "spawn") == lines{"spawn slot 0 age 4 generation 2"});
}

TEST_SUITE_END();

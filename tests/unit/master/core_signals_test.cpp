// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

TEST_SUITE_BEGIN("core: signals");

TEST_CASE("TERM drains, kills the rest after graceful_timeout and ends with 0") {
    core_driver world({2, 30s, 10s});
    world.start_ready();
    CHECK(
        world.signal(SIGTERM) ==
        lines{
            "info: Handling signal: term",
            "stop listening",
            "notify stopping",
            "kill 101 SIGTERM",
            "kill 102 SIGTERM"
        }
    );
    CHECK(world.exits(101, 0) == lines{"debug: Worker (pid:101) exited after 0.0 s"});
    SUBCASE("all in time") {
        CHECK(
            world.exits(102, 0) ==
            lines{"debug: Worker (pid:102) exited after 0.0 s", "info: Shutting down: Master", "exit 0"}
        );
    }
    SUBCASE("the same TERM once more changes nothing") {
        world.run(900ms);
        CHECK(world.signal(SIGTERM) == lines{"info: Handling signal: term"});
        CHECK(world.signal(SIGHUP) == lines{"info: Handling signal: hup"});
        CHECK(world.signal(SIGTTIN) == lines{"info: Handling signal: ttin"});
    }
    SUBCASE("one hangs") {
        CHECK(world.run(9s, 102).empty());
        CHECK(
            world.run(1s, 102) ==
            lines{
                "warning: Worker (pid:102) does not end in time: SIGKILL",
                "requests of 102 (warning)",
                "kill 102 SIGKILL"
            }
        );
        CHECK(
            world.killed(102, SIGKILL) ==
            lines{
                "info: Worker (pid:102) was sent SIGKILL! It lived for 10.0 s",
                "lost with 102",
                "info: Shutting down: Master",
                "exit 0"
            }
        );
    }
    SUBCASE("one cannot even be killed") {
        world.run(10s);
        CHECK(
            world.run(5s) ==
            lines{
                "error: 1 workers do not end even after SIGKILL; leaving them",
                "info: Shutting down: Master",
                "exit 0"
            }
        );
    }
    SUBCASE("a second TERM hurries") {
        world.run(1s);
        CHECK(
            world.signal(SIGTERM) ==
            lines{
                "info: Handling signal: term",
                "info: Signalled again: ending the workers without waiting for requests",
                "kill 102 SIGQUIT"
            }
        );
        CHECK(only(world.run(2s), "kill") == lines{"kill 102 SIGKILL"});
    }
    SUBCASE("INT hurries") {
        CHECK(
            world.signal(SIGINT) ==
            lines{
                "info: Handling signal: int",
                "info: Signalled again: ending the workers without waiting for requests",
                "kill 102 SIGQUIT"
            }
        );
        CHECK(only(world.run(1'500ms), "kill").empty());
        CHECK(only(world.run(500ms), "kill") == lines{"kill 102 SIGKILL"});
    }
    SUBCASE("a heartbeat that stops is no matter any more") {
        CHECK(only(world.run(9s, 102), "critical").empty());
    }
}

TEST_CASE("shutdown_delay: TERM leaves everything as it is for a while, then drains") {
    limits values{2, 30s, 10s};
    values.shutdown_delay = 5s;
    core_driver world(values);
    world.start_ready();
    CHECK(
        world.signal(SIGTERM) ==
        lines{
            "info: Handling signal: term",
            "info: shutdown_delay: serving for another 5 s, then shutting down",
            "announce stop",
            "notify stopping"
        }
    );
    SUBCASE("no longer than that") {
        CHECK(world.run(4'500ms).empty());
        CHECK(
            world.run(500ms) ==
            lines{"stop listening", "notify stopping", "kill 101 SIGTERM", "kill 102 SIGTERM"}
        );
    }
    SUBCASE("who dies meanwhile is replaced") {
        world.run(1s);
        CHECK(only(world.killed(101, SIGSEGV), "spawn") == lines{"spawn slot 0 age 3 generation 1"});
    }
    SUBCASE("nothing is reloaded any more") {
        CHECK(world.signal(SIGHUP) == lines{"info: Handling signal: hup"});
        CHECK(world.signal(SIGTTIN) == lines{"info: Handling signal: ttin"});
    }
    SUBCASE("the same TERM once more changes nothing") {
        CHECK(world.signal(SIGTERM) == lines{"info: Handling signal: term"});
    }
    SUBCASE("a second TERM ends it, a third one hurries") {
        world.run(1s);
        CHECK(
            world.signal(SIGTERM) ==
            lines{
                "info: Handling signal: term",
                "info: Signalled again: shutdown_delay is cut short",
                "stop listening",
                "notify stopping",
                "kill 101 SIGTERM",
                "kill 102 SIGTERM"
            }
        );
        world.run(1s);
        CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 101 SIGQUIT", "kill 102 SIGQUIT"});
    }
    SUBCASE("INT ends it at once") {
        CHECK(only(world.signal(SIGINT), "kill") == lines{"kill 101 SIGQUIT", "kill 102 SIGQUIT"});
    }
    SUBCASE("a suspended machine does not use it up") {
        world.pass(1min);
        CHECK(only(world.run(3s), "kill").empty());
        CHECK(only(world.run(1s), "kill") == lines{"kill 101 SIGTERM", "kill 102 SIGTERM"});
    }
}

TEST_CASE("shutdown_delay does not wait where nobody serves, and a reload says nothing more of being ready") {
    limits values{1, 30s, 10s};
    values.shutdown_delay = 5s;
    core_driver world(values);
    SUBCASE("nobody serves") {
        world.start();
        CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 101 SIGTERM"});
    }
    SUBCASE("a reload is under way") {
        world.start_ready();
        world.accept(2, values);
        world.signal(SIGTERM);
        const lines seen = world.ready(102);
        CHECK(only(seen, "notify").empty());
        CHECK(only(seen, "settle").size() == 1);
    }
}

TEST_CASE("INT and QUIT end at once") {
    for (const int signal : {SIGINT, SIGQUIT}) {
        core_driver world({2});
        world.start_ready();
        CHECK(only(world.signal(signal), "kill") == lines{"kill 101 SIGQUIT", "kill 102 SIGQUIT"});
        CHECK(only(world.run(2s), "kill") == lines{"kill 101 SIGKILL", "kill 102 SIGKILL"});
        world.killed(101, SIGKILL);
        CHECK(world.killed(102, SIGKILL).back() == "exit 0");
    }
}

TEST_CASE("TERM reaches workers that still boot, and spares those on their way") {
    core_driver world({2, 30s, 30s});
    world.start();
    world.ready(101);
    world.signal(SIGTTOU);  // 102 boots and goes
    CHECK(only(world.signal(SIGTERM), "kill") == lines{"kill 101 SIGTERM"});
    world.exits(101, 0);
    CHECK(world.exits(102, 0).back() == "exit 0");
}

TEST_CASE("workers that never served get TERM even when it is urgent") {
    core_driver world({2});
    world.start();
    world.ready(101);
    CHECK(only(world.signal(SIGINT), "kill") == lines{"kill 101 SIGQUIT", "kill 102 SIGTERM"});
    CHECK(only(world.signal(SIGINT), "kill") == lines{"kill 101 SIGQUIT", "kill 102 SIGTERM"});
}

TEST_CASE("TERM without workers ends at once") {
    core_driver world({0});
    world.start();
    CHECK(world.signal(SIGTERM).back() == "exit 0");
}

TEST_CASE("TTIN and TTOU change the number by one, within limits") {
    core_driver world({2}, {64, 4, false});
    world.start_ready();
    CHECK(world.signal(SIGTTIN) == lines{"info: Handling signal: ttin", "spawn slot 2 age 3 generation 1"});
    world.ready(103);
    CHECK(world.machine().strength() == 3);
    SUBCASE("up to the room there is") {
        world.signal(SIGTTIN);
        CHECK(
            world.signal(SIGTTIN) ==
            lines{
                "info: Handling signal: ttin",
                "warning: 4 workers are the most this master has room for; restart it with a higher "
                "`workers`"
            }
        );
        CHECK(world.machine().strength() == 4);
    }
    SUBCASE("down to one, the oldest first") {
        CHECK(world.signal(SIGTTOU) == lines{"info: Handling signal: ttou", "kill 101 SIGTERM"});
        CHECK(world.signal(SIGTTOU) == lines{"info: Handling signal: ttou", "kill 102 SIGTERM"});
        CHECK(world.signal(SIGTTOU) == lines{"info: Handling signal: ttou"});
        CHECK(world.machine().strength() == 1);
        CHECK(only(world.exits(101, 0), "spawn").empty());
    }
    SUBCASE("one that does not go is killed after graceful_timeout") {
        world.signal(SIGTTOU);
        CHECK(only(world.run(30s), "kill") == lines{"kill 101 SIGKILL"});
        CHECK(only(world.killed(101, SIGKILL), "spawn").empty());
    }
}

TEST_CASE("TTOU prefers workers that do not serve yet over going below strength") {
    core_driver world({3});
    world.start();
    world.ready(101);
    CHECK(world.signal(SIGTTOU) == lines{"info: Handling signal: ttou", "kill 102 SIGTERM"});
}

TEST_CASE("USR1 reopens the logs, also while stopping") {
    core_driver world({2});
    world.start_ready();
    const lines expected{"info: Handling signal: usr1", "reopen logs"};
    CHECK(world.signal(SIGUSR1) == expected);
    world.signal(SIGTERM);
    CHECK(world.signal(SIGUSR1) == expected);
}

TEST_CASE("USR1 is passed to workers of other settings, once they can take it") {
    core_driver world({1});
    world.start_ready();
    world.accept(2, {1});
    CHECK(only(world.signal(SIGUSR1), "kill").empty());
    world.ready(102);
    CHECK(only(world.signal(SIGUSR1), "kill") == lines{"kill 101 SIGUSR1"});
}

TEST_CASE("WINCH empties a daemon, TTIN and HUP fill it again") {
    SUBCASE("not a daemon") {
        core_driver world({2});
        world.start_ready();
        CHECK(
            world.signal(SIGWINCH) ==
            lines{"info: Handling signal: winch", "debug: SIGWINCH ignored. Not daemonized."}
        );
        CHECK(world.machine().strength() == 2);
    }
    SUBCASE("a daemon") {
        core_driver world({2}, {64, 16, true});
        world.start_ready();
        CHECK(
            world.signal(SIGWINCH) ==
            lines{"info: Handling signal: winch", "kill 101 SIGTERM", "kill 102 SIGTERM"}
        );
        world.exits(101, 0);
        CHECK(only(world.exits(102, 0), "spawn").empty());
        CHECK(world.run(10s).empty());
        SUBCASE("TTIN") {
            CHECK(only(world.signal(SIGTTIN), "spawn").size() == 1);
        }
        SUBCASE("HUP") {
            world.signal(SIGHUP);
            CHECK(only(world.accept(2, {2}), "spawn") == lines{"spawn slot 0 age 3 generation 2"});
            CHECK(only(world.ready(103), "spawn").size() == 1);
        }
    }
    SUBCASE("a daemon while workers boot") {
        core_driver world({2}, {64, 16, true});
        world.start();
        world.ready(101);
        CHECK(only(world.signal(SIGWINCH), "kill") == lines{"kill 101 SIGTERM", "kill 102 SIGTERM"});
    }
}

TEST_SUITE_END();

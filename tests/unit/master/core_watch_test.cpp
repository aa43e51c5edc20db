// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

TEST_SUITE_BEGIN("core: watching workers");

TEST_CASE("the first set is spawned at once and announced when all serve") {
    core_driver world({3});
    CHECK(
        world.start() ==
        lines{
            "spawn slot 0 age 1 generation 1",
            "spawn slot 1 age 2 generation 1",
            "spawn slot 2 age 3 generation 1"
        }
    );
    CHECK(world.ready(101) == lines{"debug: Worker (pid:101) is ready"});
    CHECK(world.ready(103) == lines{"debug: Worker (pid:103) is ready"});
    CHECK(world.ready(102) == lines{"debug: Worker (pid:102) is ready", "notify ready"});
    CHECK(world.run(60s).empty());
}

TEST_CASE("a master without workers is ready at once") {
    core_driver world({0});
    CHECK(world.start() == lines{"notify ready"});
    CHECK(world.signal(SIGTTIN) == lines{"info: Handling signal: ttin", "spawn slot 0 age 1 generation 1"});
}

TEST_CASE("ready does not wait for ever for the last worker") {
    for (const auto boot_timeout : {10'000ms, 0ms}) {
        core_driver world({2, 30s, 30s, boot_timeout});
        world.start();
        world.ready(101);
        const instant limit = boot_timeout > 0ms ? instant(boot_timeout) : 60s;
        CHECK(only(world.run(limit - 1s), "notify").empty());
        CHECK(only(world.run(1s), "notify") == lines{"notify ready"});
    }
}

TEST_CASE("nobody is ready, nobody is told so") {
    core_driver world({2, 30s, 30s, 0ms});
    world.start();
    CHECK(world.run(300s).empty());
}

TEST_CASE("a worker that does not boot in time is aborted, killed and replaced") {
    core_driver world({1, 30s, 30s, 10s});
    world.start();
    CHECK(world.run(9'500ms).empty());
    CHECK(
        world.run(500ms) ==
        lines{
            "error: Worker (pid:101) is not ready after boot_timeout (10 s)",
            "requests of 101 (error)",
            "kill 101 SIGABRT"
        }
    );
    CHECK(world.run(1'500ms).empty());
    CHECK(world.run(500ms) == lines{"kill 101 SIGKILL"});
    CHECK(
        world.killed(101, SIGKILL) ==
        lines{
            "info: Worker (pid:101) was sent SIGKILL! It lived for 12.0 s",
            "lost with 101",
            "spawn slot 0 age 2 generation 1"
        }
    );
}

TEST_CASE("boot_timeout 0 waits for ever") {
    core_driver world({1, 30s, 30s, 0ms});
    world.start();
    CHECK(world.run(1000s).empty());
}

TEST_CASE("a silent worker is reported, aborted, killed and replaced") {
    core_driver world({2});
    world.start_ready();
    CHECK(world.run(30s, 102).empty());
    CHECK(
        world.run(500ms, 102) ==
        lines{"critical: WORKER TIMEOUT (pid:102)", "requests of 102 (critical)", "kill 102 SIGABRT"}
    );
    SUBCASE("it dies of the abort") {
        CHECK(
            world.killed(102, SIGABRT) ==
            lines{
                "info: Worker (pid:102) was sent SIGABRT! It lived for 30.5 s",
                "lost with 102",
                "spawn slot 1 age 3 generation 1"
            }
        );
    }
    SUBCASE("it ends in order, and has told of its requests itself") {
        CHECK(
            world.exits(102, 1) ==
            lines{
                "error: Worker (pid:102) exited with code 1 after 30.5 s",
                "lost with 102",
                "spawn slot 1 age 3 generation 1"
            }
        );
    }
    SUBCASE("it needs more") {
        CHECK(world.run(2s, 102) == lines{"kill 102 SIGKILL"});
        CHECK(world.run(10s, 102).empty());
        CHECK(world.killed(102, SIGKILL).back() == "spawn slot 1 age 3 generation 1");
    }
}

TEST_CASE("timeout 0 never kills") {
    core_driver world({1, 0ms});
    world.start_ready();
    CHECK(world.run(10'000s, 101).empty());
}

TEST_CASE("the core asks to be woken for the deadline, at least every second") {
    core_driver world({1, 800ms});
    world.start();
    CHECK(world.machine().wake_at() == 1001s);
    world.ready(101);
    CHECK(world.machine().wake_at() == 1000s + 801ms);
}

TEST_CASE("a suspended machine kills nobody") {
    core_driver world({2, 30s, 30s, 60s});
    world.start();
    world.ready(101);
    CHECK(
        world.pass(3600s) ==
        lines{"warning: The process did not run for 3599.0 s (machine suspended?): time limits start anew"}
    );
    CHECK(world.run(29s, 101).empty());
    CHECK(only(world.run(2s, 101), "critical") == lines{"critical: WORKER TIMEOUT (pid:101)"});
    CHECK(only(world.run(30s), "error").size() == 1);  // the boot deadline of 102 has moved as well
}

TEST_CASE("workers that were stopped together with the master are not silent") {
    core_driver world({2, 1s});
    world.start_ready();
    world.run(3s);
    CHECK(world.pass(2500ms).empty());
    SUBCASE("they go on") {
        CHECK(world.run(10s).empty());
    }
    SUBCASE("one does not") {
        CHECK(world.run(400ms, 101).empty());
        CHECK(only(world.run(200ms, 101), "critical") == lines{"critical: WORKER TIMEOUT (pid:101)"});
    }
}

TEST_CASE("a master that is always late still finds who hangs") {
    core_driver world({1, 1s});
    world.start_ready();
    world.run(3s);
    lines seen;
    for (int look = 0; look < 4; ++look) {
        for (const std::string& line : world.pass(2s)) seen.push_back(line);
    }
    CHECK(only(seen, "critical") == lines{"critical: WORKER TIMEOUT (pid:101)"});
}

TEST_CASE("a suspended machine kills no draining worker") {
    core_driver world({1, 30s, 10s});
    world.start_ready();
    world.signal(SIGTERM);
    CHECK(only(world.pass(600s), "kill").empty());
    CHECK(only(world.run(8s), "kill").empty());
    CHECK(only(world.run(2s), "kill") == lines{"kill 101 SIGKILL"});
}

TEST_CASE("a retiring worker stays until its successor serves") {
    core_driver world({2});
    world.start_ready();
    CHECK(world.says(101, worker_state::retiring) == lines{"spawn slot 2 age 3 generation 1"});
    SUBCASE("one successor at a time, the retiring go in turn") {
        CHECK(world.says(102, worker_state::retiring).empty());
        CHECK(world.ready(103) == lines{"debug: Worker (pid:103) is ready", "kill 101 SIGTERM"});
        world.says(101, worker_state::draining);
        CHECK(
            world.exits(101, 0) ==
            lines{"debug: Worker (pid:101) exited after 0.0 s", "spawn slot 0 age 4 generation 1"}
        );
        CHECK(world.ready(104) == lines{"debug: Worker (pid:104) is ready", "kill 102 SIGTERM"});
        CHECK(world.beat().empty());
        CHECK(world.exits(102, 0) == lines{"debug: Worker (pid:102) exited after 0.0 s"});
        CHECK(world.alive() == 2);
    }
    SUBCASE("a draining one gets graceful_timeout and no more") {
        world.ready(103);
        world.says(101, worker_state::draining);
        CHECK(world.run(29s).empty());
        CHECK(
            world.run(1s) ==
            lines{
                "warning: Worker (pid:101) does not end in time: SIGKILL",
                "requests of 101 (warning)",
                "kill 101 SIGKILL"
            }
        );
    }
    SUBCASE("a retiring one that dies leaves its place to the successor") {
        CHECK(only(world.exits(101, 0), "spawn").empty());
    }
    SUBCASE("a successor that dies is replaced") {
        CHECK(only(world.killed(103, SIGSEGV), "spawn").size() == 1);
    }
}

TEST_CASE("a worker that somebody else told to leave is replaced at once") {
    core_driver world({1});
    world.start_ready();
    CHECK(
        world.says(101, worker_state::draining) ==
        lines{
            "info: Worker (pid:101) is leaving: something else told it to", "spawn slot 1 age 2 generation 1"
        }
    );
    CHECK(world.exits(101, 0) == lines{"debug: Worker (pid:101) exited after 0.0 s"});
}

TEST_CASE("a heartbeat that cannot be is none") {
    for (const instant wrong : {instant::max(), instant(1000s + 1h), instant(-1), instant::min()}) {
        core_driver world({2});
        world.start_ready();
        world.beats_like(102, wrong);
        CHECK(world.machine().wake_at() == 1001s);
        CHECK(world.run(30s, 102).empty());
        CHECK(
            world.run(500ms, 102) ==
            lines{"critical: WORKER TIMEOUT (pid:102)", "requests of 102 (critical)", "kill 102 SIGABRT"}
        );
    }
}

TEST_CASE("a state that cannot be is told once and changes nothing") {
    core_driver world({2});
    world.start_ready();
    const std::string warning =
        "warning: Worker (pid:102) reports a state that cannot be: its memory may be damaged";
    CHECK(world.says(102, static_cast<worker_state>(0x41414141)) == lines{warning});
    for (const std::uint32_t wrong : {1U, 2U, 3U, 4U, 5U, 0xffff'ffffU}) {
        CHECK(world.says(102, static_cast<worker_state>(wrong)).empty());
    }
    CHECK(world.run(60s).empty());
    CHECK(world.alive() == 2);
}

TEST_CASE("a worker that has no cause to retire is not replaced") {
    core_driver world({2, 30s, 30s, 60s, false});
    world.start_ready();
    CHECK(only(world.says(102, worker_state::retiring), "warning").size() == 1);
    CHECK(world.run(60s).empty());
}

TEST_CASE("workers that leave by themselves right away are replaced more and more slowly") {
    core_driver world({1});
    world.start();
    int spawned = 1;
    for (pid_t pid = 101; pid < 110; ++pid) {
        world.ready(pid);
        world.says(pid, worker_state::draining);
        world.exits(pid, 0);
        world.run(1s);
        if (world.alive() == 0) break;
        ++spawned;
    }
    CHECK(spawned <= 7);
    CHECK(world.run(30s).size() >= 1);
    CHECK(world.alive() == 1);
}

TEST_SUITE_END();

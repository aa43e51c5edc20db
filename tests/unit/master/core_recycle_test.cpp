// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "support/doctest.hpp"

#include <algorithm>
#include <csignal>

using namespace unicoro::master;
using namespace unicoro::master::testing;

namespace {

constexpr std::uint64_t mebi = 1024 * 1024;

limits ruled(int workers, recycling rules) {
    limits values;
    values.workers = workers;
    values.recycle = rules;
    return values;
}

event::memory_read weights(std::vector<memory_reading> all) {
    return {std::move(all)};
}

}  // namespace

TEST_SUITE_BEGIN("core: recycling");

TEST_CASE("a worker that has served its time is replaced once its successor serves") {
    core_driver world(ruled(1, {.lifetime = 60s}));
    world.start();
    // The time it takes to boot is not served.
    world.run(20s);
    world.ready(101);
    CHECK(world.run(59'500ms).empty());
    CHECK(
        world.run(500ms) ==
        lines{
            "info: Worker (pid:101) has served for 60.0 s (max_worker_lifetime): it is replaced",
            "spawn slot 1 age 2 generation 1"
        }
    );
    CHECK(only(world.run(5s), "kill").empty());
    CHECK(world.ready(102) == lines{"debug: Worker (pid:102) is ready", "kill 101 SIGTERM"});
    world.says(101, worker_state::draining);
    CHECK(only(world.exits(101, 0), "spawn").empty());
    CHECK(world.alive() == 1);
}

TEST_CASE("the core wakes up when a worker's time is over") {
    core_driver world(ruled(1, {.lifetime = 700ms}));
    world.start_ready();
    CHECK(world.machine().wake_at() == 1000s + 700ms);
    CHECK(only(world.pass(700ms), "spawn").size() == 1);
    CHECK(world.machine().wake_at() == 1000s + 1'700ms);
}

TEST_CASE("jitter spreads the ends of lives, and only to later") {
    core_driver world(ruled(8, {.lifetime = 100s, .lifetime_jitter = 100s, .share = 100}));
    world.start_ready();
    CHECK(only(world.run(100s), "spawn").size() < 2);
    int moments = 0;
    std::size_t replaced = 0;
    for (int step = 0; step < 201; ++step) {
        const std::size_t now = only(world.run(500ms), "spawn").size();
        replaced += now;
        if (now > 0) ++moments;
    }
    CHECK(replaced == 8);
    CHECK(moments >= 4);
}

TEST_CASE("no more than a share of the workers is replaced at a time") {
    struct row {
        int workers;
        int share;
        std::size_t at_once;
    };
    for (const row& each : {row{4, 25, 1}, {4, 50, 2}, {8, 25, 2}, {7, 25, 1}, {2, 10, 1}, {3, 100, 3}}) {
        CAPTURE(each.workers);
        CAPTURE(each.share);
        core_driver world(ruled(each.workers, {.lifetime = 60s, .share = each.share}));
        world.start_ready();
        CHECK(only(world.run(60s), "spawn").size() == each.at_once);
        // While they boot, and while their predecessors drain, nobody else is replaced.
        CHECK(only(world.run(5s), "spawn").empty());
        const auto first = static_cast<pid_t>(101 + each.workers);
        for (std::size_t at = 0; at < each.at_once; ++at) {
            CHECK(only(world.ready(first + static_cast<pid_t>(at)), "kill").size() == 1);
        }
        CHECK(only(world.run(5s), "spawn").empty());
        const bool more = static_cast<std::size_t>(each.workers) > each.at_once;
        CHECK(only(world.exits(101, 0), "spawn").size() == (more ? 1 : 0));
    }
}

TEST_CASE("one that outgrows max_worker_memory is replaced once its successor serves") {
    core_driver world(ruled(2, {.memory = 100 * mebi}));
    world.start_ready();
    CHECK(world.feed(weights({{101, 100 * mebi}, {102, 20 * mebi}, {999, 900 * mebi}})).empty());
    CHECK(
        world.feed(weights({{101, 101 * mebi}, {102, 20 * mebi}})) ==
        lines{
            "info: Worker (pid:101) has 101.0 MiB of memory (proportional), more than 100.0 MiB "
            "(max_worker_memory): it is replaced",
            "spawn slot 2 age 3 generation 1"
        }
    );
    CHECK(world.feed(weights({{101, 150 * mebi}})).empty());
    CHECK(world.ready(103) == lines{"debug: Worker (pid:103) is ready", "kill 101 SIGTERM"});
    CHECK(only(world.exits(101, 0), "spawn").empty());
}

TEST_CASE("jitter lets workers outgrow at different sizes") {
    core_driver world(ruled(8, {.memory = 100 * mebi, .memory_jitter = 100 * mebi, .share = 100}));
    world.start_ready();
    std::vector<std::size_t> replaced;
    for (std::uint64_t size = 100; size <= 200; size += 25) {
        event::memory_read all;
        for (pid_t pid = 101; pid <= 108; ++pid) all.readings.push_back({pid, size * mebi});
        replaced.push_back(only(world.feed(all), "info").size());
    }
    CHECK(replaced.front() == 0);
    CHECK(std::ranges::count(replaced, 8U) == 0);
}

TEST_CASE("one beyond the limit is ended at once") {
    core_driver world(ruled(2, {.memory = 100 * mebi, .memory_limit = 200 * mebi}));
    world.start();
    const lines told = {
        "error: Worker (pid:101) has 201.0 MiB of memory (resident), more than 200.0 MiB "
        "(worker_memory_limit): it is ended",
        "requests of 101 (error)"
    };
    const auto beyond = weights({{101, 201 * mebi, false}});
    SUBCASE("with an answer for what it cuts short, if it serves") {
        world.ready(101);
        world.ready(102);
        world.run(10s);
        lines expected = told;
        expected.insert(expected.end(), {"kill 101 SIGQUIT", "spawn slot 2 age 3 generation 1"});
        CHECK(world.feed(beyond) == expected);
        CHECK(world.feed(beyond).empty());
        SUBCASE("") {
            CHECK(world.exits(101, 0) == lines{"debug: Worker (pid:101) exited after 10.0 s"});
        }
        SUBCASE("but not for long") {
            CHECK(only(world.run(2s), "kill") == lines{"kill 101 SIGKILL"});
            CHECK(
                only(world.killed(101, SIGKILL), "info") ==
                lines{"info: Worker (pid:101) was sent SIGKILL! It lived for 12.0 s"}
            );
        }
    }
    SUBCASE("by SIGKILL before it serves") {
        lines expected = told;
        expected.insert(expected.end(), {"kill 101 SIGKILL", "spawn slot 2 age 3 generation 1"});
        CHECK(world.feed(beyond) == expected);
        CHECK(only(world.killed(101, SIGKILL), "spawn").empty());
    }
}

TEST_CASE("workers that pass the limit right away are replaced more and more slowly") {
    core_driver world(ruled(1, {.memory_limit = 200 * mebi}));
    world.start();
    std::size_t spawned = 0;
    for (pid_t pid = 101; world.alive() > 0; ++pid) {
        world.ready(pid);
        spawned += only(world.feed(weights({{pid, 300 * mebi}})), "spawn").size();
        world.exits(pid, 0);
        REQUIRE(pid < 110);
    }
    CHECK(spawned <= 1);
    CHECK(only(world.run(1s), "spawn").size() == 1);
}

TEST_CASE("an end by SIGKILL says whose it was") {
    struct row {
        kill_evidence evidence;
        std::string text;
    };
    for (const row& each :
         {row{{}, "sent SIGKILL! Perhaps out of memory?"},
          row{{true, 3, "/cg/memory.events"},
              "killed by the kernel for want of memory (oom_kill in /cg/memory.events has risen to 3)!"},
          row{{false, 2, "/cg/memory.events"},
              "sent SIGKILL! Not by this server, nor by the kernel for want of memory (oom_kill in "
              "/cg/memory.events stays at 2)."}}) {
        core_driver world(ruled(1, {.memory = 100 * mebi}));
        world.start_ready();
        world.feed(weights({{101, 50 * mebi}}));
        world.run(20s);
        CHECK(
            only(world.feed(event::child_ended{101, SIGKILL, each.evidence}), "error") ==
            lines{
                "error: Worker (pid:101) was " + each.text +
                " It had 50.0 MiB of memory (proportional). It lived for 20.0 s"
            }
        );
    }
}

TEST_SUITE_END();

// SPDX-License-Identifier: MIT
#include "monitor/agent_check.hpp"

#include "support/doctest.hpp"

using namespace unicoro::monitor;
using unicoro::scoreboard::worker_state;

namespace {

constexpr std::int64_t second = 1'000'000'000;

picture server(std::initializer_list<worker_state> workers, std::int64_t age) {
    picture made;
    made.seen.started = 5 * second;
    made.now = made.seen.started + age;
    for (const worker_state each : workers) {
        made.seen.workers.emplace_back();
        made.seen.workers.back().state = each;
    }
    return made;
}

}  // namespace

TEST_SUITE_BEGIN("monitor: agent check");

TEST_CASE("one that is ready says so for a minute, and how much of it is free ever after") {
    CHECK(agent_words(server({worker_state::ready}, second), 1, 100) == "ready up 100%\n");
    CHECK(agent_words(server({worker_state::retiring}, 59 * second), 1, 7) == "ready up 7%\n");
    CHECK(agent_words(server({worker_state::ready}, 60 * second), 1, 7) == "up 7%\n");
}

TEST_CASE("with too few workers it is down") {
    const picture few = server({worker_state::ready, worker_state::booting, worker_state::draining}, second);
    CHECK(agent_words(few, 1, 50) == "ready up 50%\n");
    CHECK(agent_words(few, 2, 50) == "down #1 of 2 workers are ready\n");
    CHECK(agent_words(server({}, second), 1, 100) == "down #0 of 1 workers are ready\n");
}

TEST_CASE("one that was told to stop is to be drained, whatever its workers do") {
    picture stopping = server({worker_state::ready}, second);
    stopping.seen.stopping = true;
    CHECK(agent_words(stopping, 1, 100) == "drain\n");
    stopping.seen.workers.clear();
    CHECK(agent_words(stopping, 1, 100) == "drain\n");
}

TEST_CASE("what is free is the mean of the latest samples, and never nothing") {
    busy_share share;
    CHECK(share.free_percent() == 100);
    share.take({0, 0});
    CHECK(share.free_percent() == 100);
    share.take({1, 2});
    CHECK(share.free_percent() == 50);
    share.take({0, 2});
    CHECK(share.free_percent() == 75);
    for (std::size_t each = 0; each < busy_share::samples; ++each) share.take({4, 4});
    CHECK(share.free_percent() == 1);
    for (std::size_t each = 0; each < busy_share::samples / 2; ++each) share.take({0, 4});
    CHECK(share.free_percent() == 50);
    for (std::size_t each = 0; each < busy_share::samples / 2; ++each) share.take({0, 4});
    CHECK(share.free_percent() == 100);
}

TEST_SUITE_END();

// SPDX-License-Identifier: MIT
#include "worker/fair_turn.hpp"

#include "scoreboard/scoreboard.hpp"

#include "support/doctest.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

using namespace std::chrono_literals;
using unicoro::scoreboard::load;
using unicoro::scoreboard::load_board;
using unicoro::scoreboard::table;
using unicoro::scoreboard::worker_state;
using unicoro::worker::fair_turn;

namespace {

/// A worker in slot 0 with siblings that say what they are told to.
struct workers {
    table board = table::create(8, 1).value();
    load_board loads = board.loads();
    fair_turn turn{loads, 0};
    fair_turn::clock::time_point now{1h};

    explicit workers(std::uint32_t mine) {
        for (std::size_t slot = 0; slot < 4; ++slot) REQUIRE_FALSE(board.open(slot, worker_state::ready));
        turn.take(true);
        turn.count(mine);
        // What is small was just waited for.
        sibling(1, mine - 1);
        REQUIRE(turn.look(now));
        board.vacate(1);
        now += 1ms;
    }

    void sibling(std::size_t slot, std::uint32_t connections, std::uint32_t looks = 1, bool takes = true)
        const {
        loads.write(slot, {takes, connections, looks});
    }

    /// The slot of the sibling that goes first; 0 for nobody.
    std::size_t first() {
        const auto awaited = turn.look(now);
        return awaited ? awaited->slot : 0;
    }

    /// Waits for who goes first.
    void wait() {
        const auto awaited = turn.look(now);
        REQUIRE(awaited);
        now += fair_turn::longest_wait;
        turn.waited(*awaited, now);
    }
};

}  // namespace

TEST_SUITE_BEGIN("fair turn");

TEST_CASE("the least loaded goes first, and nobody waits for more loaded ones") {
    workers four(100);
    CHECK(four.first() == 0);
    four.sibling(1, 100);
    four.sibling(2, 500);
    CHECK(four.first() == 0);
    four.sibling(3, 60);
    CHECK(four.first() == 3);
    four.sibling(1, 50);
    CHECK(four.first() == 1);
}

TEST_CASE("there always is one who does not wait") {
    workers four(7);
    for (const std::size_t slot : {1U, 2U, 3U}) four.sibling(slot, 7);
    CHECK(four.first() == 0);
    for (const std::size_t slot : {1U, 2U, 3U}) four.sibling(slot, 70);
    CHECK(four.first() == 0);
}

TEST_CASE("small differences count now and then only") {
    workers four(100);
    four.sibling(1, 97);
    CHECK(four.first() == 0);
    four.now += fair_turn::between_small_ones;
    CHECK(four.first() == 1);
    CHECK(four.first() == 0);
    four.sibling(1, 90);
    CHECK(four.first() == 1);
    CHECK(four.first() == 1);
}

TEST_CASE("who does not take connections is not waited for") {
    workers four(100);
    four.sibling(1, 1, 1, false);
    CHECK(four.first() == 0);
    four.sibling(1, 1, 1, true);
    CHECK(four.first() == 1);
    four.board.vacate(1);
    CHECK(four.first() == 0);
}

TEST_CASE("one that is full leaves it to whoever takes more, as long as that may come") {
    workers four(100);
    CHECK_FALSE(four.turn.with_room());
    four.sibling(1, 500, 1, false);
    CHECK_FALSE(four.turn.with_room());
    four.sibling(2, 500);
    for (unsigned chance = 0; chance < fair_turn::most_chances; ++chance) {
        const auto awaited = four.turn.with_room();
        REQUIRE(awaited);
        CHECK(awaited->slot == 2);
        four.turn.waited(*awaited, four.now);
    }
    CHECK_FALSE(four.turn.with_room());
    four.sibling(2, 500, 2);
    CHECK(four.turn.with_room());
}

TEST_CASE("who was waited for in vain is not waited for until it shows itself") {
    workers four(100);
    four.sibling(1, 1);
    four.sibling(2, 50);
    for (unsigned chance = 0; chance < fair_turn::most_chances; ++chance) {
        CHECK(four.first() == 1);
        four.wait();
    }
    CHECK(four.first() == 2);
    four.now += 1h;
    CHECK(four.first() == 2);
    four.sibling(1, 1, 2);
    CHECK(four.first() == 1);
}

TEST_CASE("who comes is waited for every time") {
    workers four(100);
    for (std::uint32_t looks = 1; looks < 100; ++looks) {
        four.sibling(1, 1, looks);
        const auto awaited = four.turn.look(four.now);
        REQUIRE(awaited);
        four.sibling(1, 1, looks + 1);
        four.turn.waited(*awaited, four.now);
    }
}

TEST_CASE("waiting in vain for siblings that come too late has an end") {
    workers four(100);
    std::uint32_t looks = 1;
    const auto waits_in_vain = [&] {
        four.sibling(1, 1, ++looks);
        const auto awaited = four.turn.look(four.now);
        if (awaited) four.turn.waited(*awaited, four.now);
        return awaited.has_value();
    };
    for (unsigned count = 0; count < fair_turn::most_patience; ++count) CHECK(waits_in_vain());
    CHECK_FALSE(waits_in_vain());
    four.now += fair_turn::patience_returns;
    CHECK(waits_in_vain());
    CHECK_FALSE(waits_in_vain());
    int waits = 0;
    for (int count = 0; count < 1000; ++count) {
        four.now += 1ms;
        if (waits_in_vain()) ++waits;
    }
    CHECK(waits == 1000ms / fair_turn::patience_returns);
}

TEST_CASE("siblings see what a worker tells") {
    workers four(3);
    const load before = four.loads.read(0);
    CHECK(before.takes);
    CHECK(before.connections == 3);
    static_cast<void>(four.first());
    CHECK(four.loads.read(0).looks != before.looks);
    four.turn.count(4);
    four.turn.take(false);
    CHECK(four.loads.read(0).connections == 4);
    CHECK_FALSE(four.loads.read(0).takes);
}

TEST_CASE("whatever is on the board, no slot beyond its end is believed") {
    workers four(100);
    auto* const page = reinterpret_cast<unicoro::scoreboard::load_page*>(
        reinterpret_cast<std::byte*>(&four.board.question()) - 4096
    );
    page->used.store(UINT32_MAX);
    CHECK(four.loads.used() == 8);
    CHECK(four.first() == 0);
}

TEST_SUITE_END();

// SPDX-License-Identifier: MIT
#include "scoreboard/handed_slot.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <unistd.h>

#include <csignal>

using namespace unicoro::scoreboard;
using unicoro::os::testing::in_own_child;

TEST_SUITE_BEGIN("a slot that is handed over");

TEST_CASE("a process that was forked earlier writes what the master reads") {
    const table board = table::create(4, 8).value();
    const auto file = open_file(board, 2, worker_state::booting);
    REQUIRE(file.has_value());
    CHECK(board.slot(2).state.load() == worker_state::booting);
    // As such a process begins: without any slot.
    const int end = in_own_child([&] {
        if (keep_none(board) || attach(board, 2, file->get())) return 1;
        if (board.keep_only(2)) return 2;
        request_ledger ledger(board, 2);
        (void)ledger.open("GET", "/there", 5);
        board.slot(2).state.store(worker_state::ready);
        return 0;
    });
    CHECK(end == 0);
    CHECK(board.slot(2).state.load() == worker_state::ready);
    const running_requests found = read_requests(board, 2, 1000);
    REQUIRE(found.listed.size() == 1);
    CHECK(found.listed[0].target == "/there");
}

TEST_CASE("its load is seen by all, and ends with it") {
    const table board = table::create(4, 8).value();
    REQUIRE_FALSE(board.open(0, worker_state::ready));
    board.loads().write(2, {.takes = true, .connections = 9, .looks = 9});
    const auto file = open_file(board, 2, worker_state::booting);
    REQUIRE(file.has_value());
    CHECK(board.loads().read(2) == load{});
    CHECK(board.loads().used() == 3);
    board.loads().write(0, {.takes = true, .connections = 5, .looks = 6});
    const int end = in_own_child([&] {
        if (keep_none(board) || attach(board, 2, file->get()) || board.keep_only(2)) return 1;
        if (board.loads().read(0).connections != 5) return 2;
        board.loads().write(2, {.takes = true, .connections = 7, .looks = 8});
        return 0;
    });
    CHECK(end == 0);
    CHECK(board.loads().read(2) == load{.takes = true, .connections = 7, .looks = 8});
    CHECK(board.loads().read(0) == load{.takes = true, .connections = 5, .looks = 6});
    board.vacate(2);
    CHECK(board.loads().read(2) == load{});
}

TEST_CASE("who has none reaches none") {
    const table board = table::create(4, 8).value();
    REQUIRE_FALSE(board.open(1, worker_state::ready));
    const int end = in_own_child([&] {
        signal(SIGSEGV, SIG_DFL);
        if (keep_none(board)) return 1;
        board.slot(1).state.store(worker_state::vacant);
        return 0;
    });
    CHECK(end != 0);
    CHECK(board.slot(1).state.load() == worker_state::ready);
}

TEST_CASE("nobody makes it shorter under the feet of who reads it") {
    const table board = table::create(4, 8).value();
    const auto file = open_file(board, 0, worker_state::booting);
    REQUIRE(file.has_value());
    CHECK(ftruncate(file->get(), 0) != 0);
    CHECK(board.slot(0).state.load() == worker_state::booting);
}

TEST_SUITE_END();

// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include "os/process.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace unicoro::scoreboard;

constexpr monotonic_ns later = 1'000'000;

// With every slot opened, as the master does before it forks.
table make_board(std::size_t slots, std::size_t requests) {
    table board = table::create(slots, requests).value();
    for (std::size_t index = 0; index < slots; ++index) {
        REQUIRE_FALSE(board.open(index, worker_state::vacant));
    }
    return board;
}

std::vector<std::string> methods_in_flight(const table& board, std::size_t slot) {
    std::vector<std::string> found;
    for (const running_request& each : read_requests(board, slot, later).listed) {
        found.push_back(each.method);
    }
    std::ranges::sort(found);
    return found;
}

// Signal that ends a child which touches this memory; 0 when it may.
int signal_of_touching(const table& board, std::size_t kept, std::size_t touched) {
    const int code = unicoro::os::testing::in_own_child([&] {
        if (board.keep_only(kept)) return 1;
        std::signal(SIGSEGV, SIG_DFL);
        worker_slot& slot = board.slot(touched);
        slot.requests.store(slot.requests.load() + 1);
        return 0;
    });
    CHECK(code <= 0);
    return -code;
}

}  // namespace

TEST_CASE("a child writes what its parent reads") {
    const table board = make_board(2, 4);
    REQUIRE_FALSE(board.open(1, worker_state::booting));
    const pid_t child = unicoro::os::fork_process().value();
    if (child == 0) {
        board.slot(1).state.store(worker_state::ready);
        board.slot(1).heartbeat.store(42);
        request_ledger ledger(board, 1);
        static_cast<void>(ledger.open("GET", "/slow", 7));
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(board.slot(1).state.load() == worker_state::ready);
    CHECK(board.slot(1).heartbeat.load() == 42);
    CHECK(board.slot(0).state.load() == worker_state::vacant);
    CHECK(methods_in_flight(board, 1) == std::vector<std::string>{"GET"});
    CHECK(methods_in_flight(board, 0).empty());
}

TEST_CASE("a slot that is opened again has nothing of the worker before") {
    const table board = make_board(1, 4);
    {
        request_ledger ledger(board, 0);
        static_cast<void>(ledger.open("GET", "/a", 1));
        static_cast<void>(ledger.open("PUT", "/b", 2));
    }
    board.slot(0).requests.store(9);
    REQUIRE_FALSE(board.open(0, worker_state::booting));
    CHECK(methods_in_flight(board, 0).empty());
    CHECK(board.slot(0).requests.load() == 0);
    CHECK(board.slot(0).running.load() == 0);
    CHECK(board.slot(0).entries.load() == 0);
    CHECK(board.slot(0).state.load() == worker_state::booting);
}

TEST_CASE("loads: every child reaches all of them, whatever slot it keeps") {
    const table board = make_board(3, 4);
    const pid_t child = unicoro::os::fork_process().value();
    if (child == 0) {
        if (board.keep_only(1)) _exit(1);
        board.loads().write(1, {true, 7, 42});
        board.loads().write(2, {true, UINT32_MAX, UINT32_MAX});
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    const load_board loads = board.loads();
    CHECK(loads.used() == 3);
    CHECK(loads.read(0) == load{});
    CHECK(loads.read(1) == load{true, 7, 42});
    CHECK(loads.read(2) == load{true, UINT32_MAX >> 1, UINT32_MAX});
    board.vacate(1);
    CHECK(loads.read(1) == load{});
    REQUIRE_FALSE(board.open(2, worker_state::booting));
    CHECK(loads.read(2) == load{});
}

TEST_CASE("loads: as many slots are looked at as were ever opened") {
    const table board = table::create(512, 4).value();
    CHECK(board.loads().used() == 0);
    REQUIRE_FALSE(board.open(5, worker_state::booting));
    CHECK(board.loads().used() == 6);
    REQUIRE_FALSE(board.open(2, worker_state::booting));
    CHECK(board.loads().used() == 6);
}

TEST_CASE("the ledger clips, reuses and overflows") {
    const table board = make_board(1, 3);
    request_ledger ledger(board, 0);

    SUBCASE("long text is clipped to the field") {
        const std::string target(500, 'x');
        static_cast<void>(ledger.open("PROPFINDPROPFIND", target, 1));
        const auto found = read_requests(board, 0, later).listed;
        REQUIRE(found.size() == 1);
        CHECK(found[0].method == "PROPFINDPROP");
        CHECK(found[0].target == std::string(104, 'x'));
    }
    SUBCASE("the entry freed last is used next") {
        const auto first = ledger.open("GET", "/", 1);
        ledger.close(first);
        CHECK(ledger.open("GET", "/", 2) == first);
        CHECK(board.slot(0).entries.load() == first + 1);
    }
    SUBCASE("requests beyond the table are counted only") {
        std::vector<std::uint32_t> entries;
        for (int number = 0; number < 5; ++number) entries.push_back(ledger.open("GET", "/", 1));
        CHECK(std::ranges::count(entries, request_ledger::no_entry) == 2);
        CHECK(board.slot(0).running.load() == 5);
        CHECK(methods_in_flight(board, 0).size() == 3);
        CHECK(read_requests(board, 0, later).unlisted == 2);
        for (const auto entry : entries) ledger.close(entry);
        CHECK(board.slot(0).running.load() == 0);
        CHECK(methods_in_flight(board, 0).empty());
    }
}

TEST_CASE("every entry is found again, also those freed while the short list was full") {
    constexpr std::size_t capacity = 200;
    const table board = make_board(1, capacity);
    request_ledger ledger(board, 0);
    for (int round = 0; round < 3; ++round) {
        std::vector<std::uint32_t> entries;
        for (std::size_t number = 0; number < capacity; ++number) {
            entries.push_back(ledger.open("GET", "/", 1));
        }
        auto sorted = entries;
        std::ranges::sort(sorted);
        CHECK(std::ranges::adjacent_find(sorted) == sorted.end());
        CHECK(sorted.back() == capacity - 1);
        for (const auto entry : entries) ledger.close(entry);
    }
}

TEST_CASE("a ledger without room for entries still counts") {
    const table board = make_board(1, 0);
    request_ledger ledger(board, 0);
    CHECK(ledger.open("GET", "/", 1) == request_ledger::no_entry);
    CHECK(board.slot(0).running.load() == 1);
}

TEST_CASE("a worker reaches its own slot alone") {
    const table board = make_board(4, 100);
    for (const std::size_t kept : {0U, 1U, 3U}) {
        for (const std::size_t touched : {0U, 1U, 2U, 3U}) {
            CAPTURE(kept);
            CAPTURE(touched);
            CHECK(signal_of_touching(board, kept, touched) == (kept == touched ? 0 : SIGSEGV));
        }
    }
    CHECK(board.slot(0).requests.load() == 1);
    CHECK(board.slot(2).requests.load() == 0);
}

TEST_CASE("what a child of a dead worker still writes meets nobody") {
    const table board = make_board(1, 4);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t orphan = fork();
    if (orphan == 0) {
        char byte = 0;
        const bool told = read(ends[0], &byte, 1) == 1;
        board.slot(0).state.store(worker_state::draining);
        _exit(told ? 0 : 1);
    }
    REQUIRE_FALSE(board.open(0, worker_state::ready));
    REQUIRE(write(ends[1], "x", 1) == 1);
    int status = 0;
    REQUIRE(waitpid(orphan, &status, 0) == orphan);
    CHECK(status == 0);
    CHECK(board.slot(0).state.load() == worker_state::ready);
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("numbers that cannot be are not believed") {
    const table board = make_board(1, 3);
    request_ledger ledger(board, 0);
    static_cast<void>(ledger.open("GET", "/true", 1));
    SUBCASE("more entries than there are") {
        for (const std::uint32_t wrong : {4U, 0x7fff'ffffU, 0xffff'ffffU}) {
            board.slot(0).entries.store(wrong);
            CHECK(methods_in_flight(board, 0) == std::vector<std::string>{"GET"});
        }
    }
    SUBCASE("requests from before the beginning and after now") {
        for (int number = 0; number < 2; ++number) static_cast<void>(ledger.open("PUT", "/", 1));
        for (const monotonic_ns wrong : {INT64_MAX, later + 1, monotonic_ns{-1}, INT64_MIN}) {
            for (in_flight& each : board.requests(0)) each.started.store(wrong);
            CHECK(methods_in_flight(board, 0).empty());
        }
    }
    SUBCASE("more requests at once than a process can have") {
        for (int number = 0; number < 2; ++number) static_cast<void>(ledger.open("GET", "/", 1));
        board.slot(0).running.store(0xffff'ffff);
        CHECK(read_requests(board, 0, later).unlisted < 2'000'000);
    }
    SUBCASE("requests beyond a table that is not full") {
        board.slot(0).running.store(0xffff'ffff);
        CHECK(read_requests(board, 0, later).unlisted == 0);
    }
    SUBCASE("states") {
        for (const std::uint32_t wrong : {1U, 2U, 3U, 4U, 5U, 255U, 0xffff'ffffU}) {
            CHECK_FALSE(is_known(static_cast<worker_state>(wrong)));
        }
        CHECK(is_known(worker_state::vacant));
        CHECK(is_known(worker_state::draining));
    }
}

TEST_CASE("any bytes in a slot are read without harm") {
    const table board = make_board(1, 64);
    std::mt19937_64 random(20240611);
    const std::span<in_flight> entries = board.requests(0);
    for (int round = 0; round < 500; ++round) {
        for (std::byte& each : std::as_writable_bytes(entries)) each = static_cast<std::byte>(random());
        board.slot(0).entries.store(static_cast<std::uint32_t>(random()));
        board.slot(0).running.store(static_cast<std::uint32_t>(random()));
        const auto found = read_requests(board, 0, INT64_MAX);
        CHECK(found.listed.size() <= entries.size());
        for (const running_request& each : found.listed) {
            CHECK(each.started > 0);
            CHECK(each.target.size() <= 104);
        }
    }
}

TEST_CASE("stacks: a worker answers what was asked, or later") {
    const table board = make_board(2, 4);
    stack_question& question = board.question();
    stack_answer& own = board.answer(1);
    CHECK(question.last() == 0);
    CHECK_FALSE(own.answers());
    own.is_there(true);
    CHECK(own.answers());
    CHECK_FALSE(board.answer(0).answers());

    const std::uint32_t first = question.ask();
    CHECK_FALSE(own.read(first, question.last()));
    own.give(first, "here");
    CHECK(own.read(first, question.last()) == "here");
    const std::uint32_t second = question.ask();
    CHECK_FALSE(own.read(second, question.last()));
    own.give(second, "there");
    CHECK(own.read(first, question.last()) == "there");
    CHECK(own.read(second, question.last()) == "there");
    // What nobody has asked yet is no answer.
    own.give(second + 1, "made up");
    CHECK_FALSE(own.read(second, question.last()));
    own.give(second, std::string(2 * stack_answer::most_bytes, 'x'));
    CHECK(own.read(second, question.last())->size() == stack_answer::most_bytes);
    // Requests and the answer do not overlap.
    for (in_flight& each : board.requests(1)) each.started.store(1);
    CHECK(own.read(second, question.last()) == std::string(stack_answer::most_bytes, 'x'));
}

TEST_CASE("stacks: any bytes in an answer are read without harm") {
    const table board = make_board(1, 1);
    std::mt19937_64 random(20261130);
    stack_answer& own = board.answer(0);
    for (int round = 0; round < 20; ++round) {
        for (std::byte& each : std::as_writable_bytes(std::span(&own, 1)))
            each = static_cast<std::byte>(random());
        if (const auto text = own.read(1, UINT32_MAX)) CHECK(text->size() <= stack_answer::most_bytes);
    }
}

TEST_CASE("stacks: a worker that waits for a question hears of it, and cannot ask") {
    const table board = make_board(2, 1);
    const pid_t worker = unicoro::os::fork_process().value();
    if (worker == 0) {
        if (board.keep_only(1)) _exit(1);
        board.answer(1).is_there(true);
        while (board.question().last() == 0) board.question().wait_for_other(0);
        board.answer(1).give(board.question().last(), "heard");
        std::signal(SIGSEGV, SIG_DFL);
        board.question().ask();
        _exit(0);
    }
    while (!board.answer(1).answers()) usleep(1000);
    const std::uint32_t asked = board.question().ask();
    int status = 0;
    REQUIRE(waitpid(worker, &status, 0) == worker);
    // It ended at the attempt to write.
    CHECK(WIFSIGNALED(status));
    CHECK(board.answer(1).read(asked, board.question().last()) == "heard");
}

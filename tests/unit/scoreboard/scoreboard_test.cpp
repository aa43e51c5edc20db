// SPDX-License-Identifier: MIT
#include "scoreboard/scoreboard.hpp"

#include "support/doctest.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace unicoro::scoreboard;

std::vector<std::string> methods_in_flight(const table& board, std::size_t slot) {
    std::vector<std::string> found;
    for_each_in_flight(board, slot, [&found](const in_flight& entry) {
        found.emplace_back(entry.method.data(), strnlen(entry.method.data(), entry.method.size()));
    });
    std::ranges::sort(found);
    return found;
}

}  // namespace

TEST_CASE("a child writes what its parent reads") {
    const auto board = table::create(2, 4);
    REQUIRE(board.has_value());
    board->reset(1, worker_state::booting);
    const pid_t child = fork();
    if (child == 0) {
        board->slot(1).state.store(worker_state::ready);
        board->slot(1).heartbeat.store(42);
        request_ledger ledger(*board, 1);
        static_cast<void>(ledger.open("GET", "/slow", 7));
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(board->slot(1).state.load() == worker_state::ready);
    CHECK(board->slot(1).heartbeat.load() == 42);
    CHECK(board->slot(0).state.load() == worker_state::vacant);
    CHECK(methods_in_flight(*board, 1) == std::vector<std::string>{"GET"});
    CHECK(methods_in_flight(*board, 0).empty());
}

TEST_CASE("reset clears counters and requests") {
    const auto board = table::create(1, 4);
    REQUIRE(board.has_value());
    {
        request_ledger ledger(*board, 0);
        static_cast<void>(ledger.open("GET", "/a", 1));
        static_cast<void>(ledger.open("PUT", "/b", 2));
    }
    board->slot(0).requests.store(9);
    board->reset(0, worker_state::booting);
    CHECK(methods_in_flight(*board, 0).empty());
    CHECK(board->slot(0).requests.load() == 0);
    CHECK(board->slot(0).running.load() == 0);
    CHECK(board->slot(0).entries.load() == 0);
    CHECK(board->slot(0).state.load() == worker_state::booting);
}

TEST_CASE("the ledger clips, reuses and overflows") {
    const auto board = table::create(1, 3);
    REQUIRE(board.has_value());
    request_ledger ledger(*board, 0);

    SUBCASE("long text is clipped to the field") {
        const std::string target(500, 'x');
        static_cast<void>(ledger.open("PROPFINDPROPFIND", target, 1));
        for_each_in_flight(*board, 0, [](const in_flight& entry) {
            CHECK(std::string(entry.method.data(), entry.method.size()) == "PROPFINDPROP");
            CHECK(std::ranges::count(entry.target, 'x') == std::ssize(entry.target));
        });
        CHECK(methods_in_flight(*board, 0).size() == 1);
    }
    SUBCASE("the entry freed last is used next") {
        const auto first = ledger.open("GET", "/", 1);
        ledger.close(first);
        CHECK(ledger.open("GET", "/", 2) == first);
        CHECK(board->slot(0).entries.load() == first + 1);
    }
    SUBCASE("requests beyond the table are counted only") {
        std::vector<std::uint32_t> entries;
        for (int number = 0; number < 5; ++number) entries.push_back(ledger.open("GET", "/", 1));
        CHECK(std::ranges::count(entries, request_ledger::no_entry) == 2);
        CHECK(board->slot(0).running.load() == 5);
        CHECK(methods_in_flight(*board, 0).size() == 3);
        for (const auto entry : entries) ledger.close(entry);
        CHECK(board->slot(0).running.load() == 0);
        CHECK(methods_in_flight(*board, 0).empty());
    }
}

TEST_CASE("every entry is found again, also those freed while the short list was full") {
    constexpr std::size_t capacity = 200;
    const auto board = table::create(1, capacity);
    REQUIRE(board.has_value());
    request_ledger ledger(*board, 0);
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
    const auto board = table::create(1, 0);
    REQUIRE(board.has_value());
    request_ledger ledger(*board, 0);
    CHECK(ledger.open("GET", "/", 1) == request_ledger::no_entry);
    CHECK(board->slot(0).running.load() == 1);
}

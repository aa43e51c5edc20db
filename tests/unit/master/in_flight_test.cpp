// SPDX-License-Identifier: MIT
#include "master/in_flight.hpp"

#include "support/doctest.hpp"

using unicoro::master::requests_in_flight;
using unicoro::scoreboard::request_ledger;
using unicoro::scoreboard::table;
using unicoro::scoreboard::worker_state;

namespace {

constexpr std::int64_t second = 1'000'000'000;

}  // namespace

TEST_SUITE_BEGIN("in flight");

TEST_CASE("requests are listed by age, made safe for the log") {
    const auto board = table::create(1, 8);
    REQUIRE(board.has_value());
    REQUIRE_FALSE(board->open(0, worker_state::ready));
    request_ledger ledger(*board, 0);
    CHECK(requests_in_flight(*board, 0, 0).empty());
    static_cast<void>(ledger.open("GET", "/new", 90 * second));
    static_cast<void>(ledger.open("POST", "/old\nforged", 60 * second));
    CHECK(
        requests_in_flight(*board, 0, 100 * second) ==
        std::vector<std::string>{"POST /old\\x0aforged for 40.0 s", "GET /new for 10.0 s"}
    );
}

TEST_CASE("many are cut short and counted, with those that have no entry") {
    const auto board = table::create(1, 30);
    REQUIRE(board.has_value());
    REQUIRE_FALSE(board->open(0, worker_state::ready));
    request_ledger ledger(*board, 0);
    for (int number = 0; number < 35; ++number) static_cast<void>(ledger.open("GET", "/", second));
    const auto lines = requests_in_flight(*board, 0, 2 * second);
    REQUIRE(lines.size() == 21);
    CHECK(lines.back() == "and 15 more");
}

TEST_SUITE_END();

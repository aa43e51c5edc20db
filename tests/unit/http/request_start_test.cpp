// SPDX-License-Identifier: MIT
#include "http/request_start.hpp"
#include "support/doctest.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

using namespace std::chrono_literals;

namespace {

/// Milliseconds that have passed at 1700000000.250; -1 = not known.
std::int64_t passed(std::string_view field) {
    const auto found =
        unicoro::http::waited_since(field, std::chrono::system_clock::time_point(1700000000250ms));
    return found ? std::chrono::round<std::chrono::milliseconds>(*found).count() : -1;
}

}  // namespace

TEST_SUITE("X-Request-Start") {
    TEST_CASE("in every unit, with t= or without") {
        CHECK(passed("t=1700000000.125") == 125);
        CHECK(passed("1700000000.125") == 125);
        CHECK(passed("1700000000") == 250);
        CHECK(passed("t=1700000000125") == 125);
        CHECK(passed("1700000000125.25") == 125);
        CHECK(passed("t=1700000000125000") == 125);
        CHECK(passed("1700000000125000000") == 125);
        CHECK(passed("1700000000.250") == 0);
    }

    TEST_CASE("nonsense is passed over") {
        for (const std::string_view each :
             {"",
              "t=",
              "t",
              "now",
              "-1",
              "+1700000000",
              " 1700000000",
              "1.7e9",
              "0x65",
              "inf",
              "nan",
              ".",
              "1..2",
              "1700000000,1700000000",
              "t=t=1700000000",
              "0",
              "1699990000",
              "1700000001",
              "1700000000252",
              "99999999999999999999999999",
              "1700000000125000000000"}) {
            CAPTURE(each);
            CHECK(passed(each) == -1);
        }
    }
}

// SPDX-License-Identifier: MIT
#include "http2/flood_guard.hpp"
#include "support/doctest.hpp"

namespace {

using unicoro::http2::burden;
using unicoro::http2::flood_guard;

constexpr flood_guard::time second = 1'000'000'000;

unsigned admitted(flood_guard& guard, burden what, flood_guard::time now) {
    unsigned count = 0;
    while (count < 100'000 && guard.admit(what, now)) ++count;
    return count;
}

}  // namespace

TEST_SUITE("flood_guard") {
    TEST_CASE("a stock that time refills") {
        flood_guard guard;
        const unsigned at_once = admitted(guard, burden::ping, 5);
        CHECK(at_once == 100);
        CHECK(admitted(guard, burden::ping, 5) == 0);
        CHECK(admitted(guard, burden::ping, 5 + second) == 10);
        CHECK(admitted(guard, burden::ping, 1000 * second) == at_once);
    }

    TEST_CASE("one kind does not pay for another") {
        flood_guard guard;
        CHECK(admitted(guard, burden::settings, 1) == 40);
        CHECK(guard.admit(burden::reset, 1));
        CHECK(guard.admit(burden::empty_frame, 1));
        CHECK(guard.admit(burden::other, 1));
    }

    TEST_CASE("data that goes out pays for windows, a few bytes of it do not") {
        flood_guard guard;
        CHECK(admitted(guard, burden::window_update, 1) == 2000);
        guard.sent_data(1);
        CHECK(!guard.admit(burden::window_update, 1));
        guard.sent_data(16384);
        CHECK(admitted(guard, burden::window_update, 1) == 4);
    }

    TEST_CASE("each has its rule") {
        CHECK(flood_guard::rule(burden::window_update).find("tiny windows") != std::string_view::npos);
    }
}

// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include "support/doctest.hpp"

#include <array>
#include <cstdint>

using namespace unicoro::base;

TEST_SUITE("text") {
    TEST_CASE("whole numbers use up the whole text") {
        CHECK(parse_integer<int>("42") == 42);
        CHECK(parse_integer<int>("-7") == -7);
        CHECK(parse_integer<int>("017") == 17);
        CHECK(parse_integer<unsigned>("777", 8) == 511U);
        CHECK(parse_integer<std::uint64_t>("18446744073709551615") == UINT64_MAX);
        for (const char* bad : {"", " 1", "1 ", "+1", "1_0", "0x10", "1.0", "99999999999", "one"}) {
            CAPTURE(bad);
            CHECK_FALSE(parse_integer<int>(bad).has_value());
        }
        CHECK_FALSE(parse_integer<unsigned>("-1").has_value());
    }

    TEST_CASE("decimals have digits and one point") {
        CHECK(parse_decimal("0.5") == 0.5);
        CHECK(parse_decimal("30") == 30.0);
        CHECK(parse_decimal("-1.25") == -1.25);
        for (const char* bad : {"", "inf", "nan", "1e3", "0x1p3", "1.2.3", "1,5", " 1", "-", "."}) {
            CAPTURE(bad);
            CHECK_FALSE(parse_decimal(bad).has_value());
        }
    }

    TEST_CASE("trimming and splitting") {
        CHECK(trim("  a b\t\n") == "a b");
        CHECK(trim(" \t ").empty());
        CHECK(split_list(" a, b ,,c,") == std::vector<std::string>{"a", "b", "c"});
        CHECK(split_list("").empty());
        CHECK(to_upper("x-Forwarded_1") == "X-FORWARDED_1");
        CHECK(to_lower("ÄB") == "Äb");
    }

    TEST_CASE("a message stays one line") {
        CHECK(printable("a\nb\x7f\x01") == "a\\x0ab\\x7f\\x01");
        CHECK(printable("abcdef", 3) == "abc...");
        CHECK(has_control_byte("a\tb"));
        CHECK_FALSE(has_control_byte("plain é"));
    }

    TEST_CASE("distance counts edits and swaps") {
        CHECK(edit_distance("", "abc") == 3);
        CHECK(edit_distance("workers", "workers") == 0);
        CHECK(edit_distance("wokers", "workers") == 1);
        CHECK(edit_distance("wrokers", "workers") == 1);
        CHECK(edit_distance("kitten", "sitting") == 3);
    }

    TEST_CASE("the nearest known word, or none") {
        static constexpr std::array<std::string_view, 4> known{"workers", "worker_class", "bind", "user"};
        CHECK(nearest("wokers", known) == "workers");
        CHECK(nearest("Worker-Class", known) == "worker_class");
        CHECK(nearest("bnid", known) == "bind");
        CHECK_FALSE(nearest("zebra", known).has_value());
        CHECK_FALSE(nearest("", known).has_value());
        CHECK_FALSE(nearest("u", known).has_value());
        CHECK_FALSE(nearest(std::string(1000, 'w'), known).has_value());
    }
}

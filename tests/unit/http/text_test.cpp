// SPDX-License-Identifier: MIT
#include "http/chars.hpp"
#include "http/refusal.hpp"
#include "http/request_head.hpp"

#include "support/doctest.hpp"

#include <array>
#include <string>

using namespace unicoro::http;

TEST_SUITE("text") {
    TEST_CASE("iequals folds ASCII letters and nothing else") {
        CHECK(iequals("", ""));
        CHECK(iequals("Content-LENGTH", "cONTENT-length"));
        CHECK(!iequals("a", "ab"));
        CHECK(!iequals("ab", "a"));
        CHECK(!iequals("[", "{"));
        CHECK(!iequals("@", "`"));
        CHECK(!iequals("\xc4", "\xe4"));
    }

    TEST_CASE("find takes the first field of a name") {
        const std::array<field, 3> fields{{{"A", "1"}, {"b", "2"}, {"B", "3"}}};
        request_head head;
        head.fields = fields;
        CHECK(head.find("B") == "2");
        CHECK(head.find("a") == "1");
        CHECK(!head.find("c"));
    }

    TEST_CASE("quoted clips and escapes") {
        CHECK(quoted("") == "\"\"");
        CHECK(quoted("a\"b\\") == "\"a\\\"b\\\\\"");
        CHECK(quoted(std::string("\x00\r\n\x7f\xff", 5)) == "\"\\x00\\x0d\\x0a\\x7f\\xff\"");
        CHECK(quoted(std::string(80, 'a')) == "\"" + std::string(80, 'a') + "\"");
        CHECK(quoted(std::string(81, 'a')) == "\"" + std::string(80, 'a') + "...\"");
    }

    TEST_CASE("list elements") {
        std::string_view list = " a ,\tb,,c ";
        CHECK(next_element(list) == "a");
        CHECK(next_element(list) == "b");
        CHECK(next_element(list).empty());
        CHECK(next_element(list) == "c");
        CHECK(list.empty());
    }

    TEST_CASE("byte classes") {
        for (int code = 0; code < 256; ++code) {
            CAPTURE(code);
            const char byte = static_cast<char>(code);
            const bool alnum =
                (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
            const bool listed =
                code != 0 && std::string_view("!#$%&'*+-.^_`|~").find(byte) != std::string_view::npos;
            CHECK(is(byte_class::token, byte) == (alnum || listed));
            CHECK(is(byte_class::content, byte) == (code == 9 || (code >= 32 && code != 127)));
            CHECK(is(byte_class::target, byte) == (code > 32 && code != 127 && code != '#'));
        }
    }
}

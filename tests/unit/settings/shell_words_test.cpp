// SPDX-License-Identifier: MIT
#include "settings/shell_words.hpp"

#include "support/doctest.hpp"

#include <string>
#include <vector>

using unicoro::settings::split_shell_words;
using words = std::vector<std::string>;

TEST_SUITE("shell_words") {
    TEST_CASE("words as a shell makes them") {
        struct row {
            const char* text;
            words expected;
        };
        for (const row& r : {
                 row{"", {}},
                 row{"  -w 4\t-b\n:80 ", {"-w", "4", "-b", ":80"}},
                 row{"--env 'A=b c'", {"--env", "A=b c"}},
                 row{R"(-e "A=\"q\" \$x \n")", {"-e", R"(A="q" $x \n)"}},
                 row{R"(a\ b \'c)", {"a b", "'c"}},
                 row{R"(pre'mid'"post")", {"premidpost"}},
                 row{R"('' "")", {"", ""}},
                 row{R"('a\b')", {R"(a\b)"}},
                 row{"a#b # c", {"a#b", "#", "c"}},
             }) {
            CAPTURE(r.text);
            const auto split = split_shell_words(r.text);
            CHECK(split.problem.empty());
            CHECK(split.words == r.expected);
        }
    }

    TEST_CASE("broken text has no words") {
        for (const char* text : {"a 'b", "a \"b", "a\\", "\"a\\"}) {
            CAPTURE(text);
            const auto split = split_shell_words(text);
            CHECK_FALSE(split.problem.empty());
            CHECK(split.words.empty());
        }
    }
}

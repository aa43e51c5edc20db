// SPDX-License-Identifier: MIT
#include "http/request_target.hpp"

#include "support/doctest.hpp"

#include <string_view>

using unicoro::http::valid_host;

TEST_SUITE("request_target") {
    TEST_CASE("Host values") {
        for (const std::string_view good :
             {"",
              "a",
              "a.example",
              "A-1.example.",
              "a:80",
              "a:",
              "127.0.0.1",
              "127.0.0.1:0",
              "[::1]",
              "[::1]:8000",
              "[::1]:",
              "[::ffff:1.2.3.4]",
              "%41",
              "a_b",
              "a~!$&'()*+,;=",
              "a:65535",
              ":80",
              "a:000080"}) {
            CAPTURE(good);
            CHECK(valid_host(good));
        }
        for (const std::string_view bad :
             {"a b",
              "a/",
              "a?",
              "a#",
              "a@b",
              "a:b",
              "a:1:2",
              "a:65536",
              "a:-1",
              "a:+1",
              "[::1",
              "::1",
              "[::1]]",
              "[::1]80",
              "[]",
              "[1.2.3.4]",
              "[fe80::1%25eth0]",
              "[g::]",
              "%4",
              "%",
              "%zz",
              "a%",
              "a\"",
              "<a>",
              "a\\",
              "a^",
              "\x80",
              "a:99999999999999999999",
              "[::1]:x",
              "a\t"}) {
            CAPTURE(bad);
            CHECK(!valid_host(bad));
        }
    }

    TEST_CASE("parts of a target") {
        struct row {
            std::string_view method, target, path, query, authority;
        };
        const row rows[] = {
            {"GET", "/", "/", "", ""},
            {"GET", "/?", "/", "", ""},
            {"GET", "/a?b?c", "/a", "b?c", ""},
            {"GET", "/http://b/", "/http://b/", "", ""},
            {"GET", "http://b", "/", "", "b"},
            {"GET", "http://b?q=/", "/", "q=/", "b"},
            {"GET", "http://[::1]:8/p", "/p", "", "[::1]:8"},
            {"OPTIONS", "/a", "/a", "", ""},
            {"OPTIONS", "*", "*", "", ""},
            {"GET", "/caf\xc3\xa9?\xff", "/caf\xc3\xa9", "\xff", ""},
            {"GET", "http://a.example/\xe9", "/\xe9", "", "a.example"},
        };
        for (const row& r : rows) {
            CAPTURE(r.target);
            unicoro::http::target_parts parts;
            unicoro::http::refusal why;
            REQUIRE(unicoro::http::split_target(r.method, r.target, parts, why));
            CHECK(parts.path == r.path);
            CHECK(parts.query == r.query);
            CHECK(parts.authority == r.authority);
        }
    }
}

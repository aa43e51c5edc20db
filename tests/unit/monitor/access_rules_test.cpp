// SPDX-License-Identifier: MIT
#include "monitor/access_rules.hpp"

#include "support/doctest.hpp"

#include <array>

using namespace unicoro::monitor;
using unicoro::http::field;
using unicoro::http::request_head;

TEST_SUITE_BEGIN("monitor: who may ask");

TEST_CASE("a token counts whole, after the scheme, in any case of that") {
    const auto carried = [](std::string_view value) {
        const std::array<field, 1> fields{{{"authorization", value}}};
        request_head head;
        head.fields = fields;
        return carries_token(head, "0123456789abcdef");
    };
    CHECK(carried("Bearer 0123456789abcdef"));
    CHECK(carried("bearer  0123456789abcdef"));
    for (const std::string_view wrong :
         {"",
          "Bearer",
          "Bearer ",
          "0123456789abcdef",
          "Basic 0123456789abcdef",
          "Bearer 0123456789abcdeF",
          "Bearer 0123456789abcde",
          "Bearer 0123456789abcdef0",
          "Bearer 0123456789abcdef "}) {
        CHECK_FALSE(carried(wrong));
    }
    CHECK_FALSE(carries_token(request_head(), "0123456789abcdef"));
}

TEST_CASE("by what names this machine may be asked") {
    for (const std::string_view own :
         {"",
          "127.0.0.1",
          "127.0.0.1:9000",
          "[::1]",
          "[::1]:9000",
          "10.1.2.3:80",
          "localhost",
          "LocalHost:9000",
          "localhost.",
          "grafana.localhost:3000"}) {
        INFO(own);
        CHECK(is_own_name(own));
    }
    for (const std::string_view other :
         {"evil.example",
          "evil.example:9000",
          "localhost.evil.example",
          "127.0.0.1.evil.example",
          ".localhost",
          "notlocalhost",
          "[::1",
          "1.2.3",
          ":9000"}) {
        INFO(other);
        CHECK_FALSE(is_own_name(other));
    }
}

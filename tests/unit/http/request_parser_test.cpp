// SPDX-License-Identifier: MIT
#include "http/request_parser.hpp"

#include "support/doctest.hpp"
#include "unit/http/conversation.hpp"

#include <array>
#include <string>

namespace {

using unicoro::http::body_framing;
using unicoro::http::peer_trust;
using unicoro::http::policy;
using unicoro::http::request_parser;
using head_status = request_parser::head_status;
using body_status = request_parser::body_status;

constexpr std::string_view small_get = "GET /x?y HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_SUITE("request_parser") {
    TEST_CASE("the head's views lie in the caller's bytes") {
        const policy rules;
        request_parser parser(rules);
        REQUIRE(parser.parse_head(small_get, peer_trust::untrusted) == head_status::complete);
        const auto inside = [](std::string_view view) {
            return view.data() >= small_get.data() &&
                   view.data() + view.size() <= small_get.data() + small_get.size();
        };
        const auto& head = parser.head();
        CHECK(inside(head.method));
        CHECK(inside(head.target));
        CHECK(inside(head.path));
        CHECK(inside(head.query));
        CHECK(inside(head.authority));
        REQUIRE(head.fields.size() == 1);
        CHECK(inside(head.fields[0].name));
        CHECK(inside(head.fields[0].value));
        CHECK(parser.head_size() == small_get.size());
    }

    TEST_CASE("an unfinished head needs more, at every length") {
        const policy rules;
        for (std::size_t size = 0; size < small_get.size(); ++size) {
            CAPTURE(size);
            request_parser parser(rules);
            CHECK(
                parser.parse_head(small_get.substr(0, size), peer_trust::untrusted) == head_status::need_more
            );
        }
    }

    TEST_CASE("the head ends where the next request starts") {
        const policy rules;
        request_parser parser(rules);
        const std::string wire = "\r\n" + std::string(small_get) + std::string(small_get);
        REQUIRE(parser.parse_head(wire, peer_trust::untrusted) == head_status::complete);
        CHECK(parser.head_size() == small_get.size() + 2);
    }

    TEST_CASE("a request line is judged when it ends, not when the head does") {
        const policy rules;
        for (const std::string_view line :
             {"GET / HTTP/2.0\r\n", "get / HTTP/1.1\r\n", "GET /#a HTTP/1.1\r\n", "GET /\r\n", "G@T"}) {
            CAPTURE(line);
            request_parser parser(rules);
            const auto status = parser.parse_head(line, peer_trust::untrusted);
            CHECK(status == (line.back() == '\n' ? head_status::refused : head_status::need_more));
        }
    }

    TEST_CASE("reset forgets a refusal and a request") {
        const policy rules;
        request_parser parser(rules);
        REQUIRE(parser.parse_head("\x16", peer_trust::untrusted) == head_status::refused);
        CHECK(parser.parse_head(small_get, peer_trust::untrusted) == head_status::refused);
        parser.reset();
        REQUIRE(parser.parse_head(small_get, peer_trust::untrusted) == head_status::complete);
        CHECK(parser.parse_head(small_get, peer_trust::untrusted) == head_status::complete);
        parser.reset();
        constexpr std::string_view other = "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n";
        REQUIRE(parser.parse_head(other, peer_trust::untrusted) == head_status::complete);
        const auto& head = parser.head();
        CHECK(head.authority.empty());
        CHECK(head.query.empty());
        CHECK(!head.find("host"));
        CHECK(head.find("CONTENT-LENGTH") == "1");
        CHECK(head.framing == body_framing::length);
        CHECK(head.protocol() == "HTTP/1.0");
    }

    TEST_CASE("a body without bytes is complete at once, and again") {
        const policy rules;
        request_parser parser(rules);
        REQUIRE(parser.parse_head(small_get, peer_trust::untrusted) == head_status::complete);
        for (int i = 0; i < 2; ++i) {
            const auto step = parser.decode_body("GET / ");
            CHECK(step.status == body_status::complete);
            CHECK(step.consumed == 0);
        }
    }

    TEST_CASE("a body of known length is handed on without copying") {
        const policy rules;
        request_parser parser(rules);
        const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
        REQUIRE(parser.parse_head(head, peer_trust::untrusted) == head_status::complete);
        CHECK(parser.decode_body("").status == body_status::need_more);
        constexpr std::string_view input = "hello, next";
        const auto step = parser.decode_body(input);
        CHECK(step.status == body_status::data);
        CHECK(step.consumed == 5);
        CHECK(step.data.data() == input.data());
        CHECK(step.data == "hello");
        CHECK(parser.decode_body("").status == body_status::complete);
    }

    TEST_CASE("a head that never ends is refused before it outgrows head_limit") {
        policy rules;
        rules.limit_request_line = 100;
        rules.limit_request_fields = 4;
        rules.limit_request_field_size = 50;
        request_parser parser(rules);
        std::string wire = "GET / HTTP/1.1\r\n";
        auto status = head_status::need_more;
        while (status == head_status::need_more && wire.size() < 1000) {
            wire += wire.size() % 40 == 0 ? "\r\n" : "a";
            status = parser.parse_head(wire, peer_trust::untrusted);
        }
        CHECK(status == head_status::refused);
        CHECK(parser.refused_because().status == 431);
        CHECK(wire.size() <= rules.head_limit());
    }

    TEST_CASE("head_limit is the sum of its parts, with a roof") {
        policy rules;
        rules.limit_request_line = 100;
        rules.limit_request_fields = 4;
        rules.limit_request_field_size = 50;
        CHECK(rules.head_limit() == 2 + 100 + 2 + 4 * 50 + 2);
        rules.limit_request_line = rules.limit_request_fields = rules.limit_request_field_size = 0;
        CHECK(rules.head_limit() == 16 * 1024 * 1024);
        CHECK(rules.request_line_limit() == 65536);
        CHECK(rules.fields_limit() == 32768);
        CHECK(rules.field_size_limit() == 65536);
    }

    TEST_CASE("the largest head that the limits allow is accepted, and fits head_limit") {
        policy rules;
        rules.limit_request_line = 30;
        rules.limit_request_fields = 3;
        rules.limit_request_field_size = 20;
        std::string wire = "\r\nGET /" + std::string(16, 'a') + " HTTP/1.1\r\n";
        wire += "Host: " + std::string(12, 'b') + "\r\n";
        wire += "X-A: " + std::string(13, 'c') + "\r\nX-B: " + std::string(13, 'd') + "\r\n\r\n";
        CHECK(wire.size() == rules.head_limit());
        const auto t =
            unicoro::test::converse(rules, peer_trust::untrusted, wire, unicoro::test::pieces_of(1));
        CHECK(t.requests.size() == 1);
        CHECK(t.detail.empty());
    }

    TEST_CASE("the reason is clipped and holds no control bytes") {
        const policy rules;
        request_parser parser(rules);
        const std::string wire = "GET /\x7f" + std::string(500, 'a') + "\xff HTTP/1.1\r\n\r\n";
        REQUIRE(parser.parse_head(wire, peer_trust::untrusted) == head_status::refused);
        const std::string& detail = parser.refused_because().detail;
        CHECK(detail.size() < 250);
        CHECK(detail.find("\\x7f") != std::string::npos);
        CHECK(detail.find('\x7f') == std::string::npos);
    }

    TEST_CASE("decode_body of a refused request refuses") {
        const policy rules;
        request_parser parser(rules);
        const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        REQUIRE(parser.parse_head(head, peer_trust::untrusted) == head_status::complete);
        CHECK(parser.decode_body("x").status == body_status::refused);
        CHECK(parser.decode_body("0\r\n\r\n").status == body_status::refused);
        CHECK(parser.refused_because().status == 400);
    }

    TEST_CASE("steady state: the fields keep their storage") {
        const policy rules;
        request_parser parser(rules);
        REQUIRE(parser.parse_head(small_get, peer_trust::untrusted) == head_status::complete);
        const auto* storage = parser.head().fields.data();
        parser.reset();
        REQUIRE(parser.parse_head(small_get, peer_trust::untrusted) == head_status::complete);
        CHECK(parser.head().fields.data() == storage);
    }
}

// SPDX-License-Identifier: MIT
#include "http/http1_reader.hpp"

#include "support/doctest.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

using namespace unicoro::http;
using head_status = http1_reader::head_status;
using body_status = http1_reader::body_status;

namespace {

/// Puts bytes where the reader wants the head's.
void feed_head(http1_reader& reader, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> room = reader.head_space();
        const std::size_t count = std::min(room.size(), bytes.size());
        std::copy_n(bytes.data(), count, room.data());
        reader.received(count);
        bytes.remove_prefix(count);
    }
}

/// Reads a whole body, `at_once` bytes of the wire and `window` bytes of the body at a time.
std::string read_body(http1_reader& reader, std::string_view wire, std::size_t at_once, std::size_t window) {
    std::string body;
    std::array<char, 64> into;
    const std::span<char> target = std::span(into).first(window);
    for (;;) {
        const auto step = reader.read_body(target);
        if (step.status == body_status::data) {
            body.append(target.data(), step.bytes);
        } else if (step.status == body_status::need_more) {
            const std::span<char> room = reader.body_space(target);
            REQUIRE_FALSE(room.empty());
            const std::size_t count = std::min({room.size(), at_once, wire.size()});
            REQUIRE(count > 0);
            std::copy_n(wire.data(), count, room.data());
            wire.remove_prefix(count);
            body.append(room.data(), reader.received_body(count));
        } else {
            CHECK(step.status == body_status::end);
            CHECK(reader.body_done());
            return body;
        }
    }
}

constexpr std::string_view get = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view post = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n";
constexpr std::string_view chunked = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_SUITE("http1_reader") {
    TEST_CASE("a head comes in pieces, and what follows it begins the next") {
        const policy rules;
        http1_reader reader(rules);
        for (const char byte : get) {
            CHECK(reader.read_head({}) == head_status::need_more);
            CHECK(reader.head_wants_bytes());
            feed_head(reader, std::string_view(&byte, 1));
        }
        CHECK(reader.read_head({}) == head_status::complete);
        CHECK(reader.head().path == "/a");
        CHECK(reader.body_done());
        CHECK_FALSE(reader.has_unread());
        reader.next();
        feed_head(reader, std::string(get) + "GET /later HTTP/1.1\r\n");
        CHECK(reader.read_head({}) == head_status::complete);
        CHECK(reader.has_unread());
        reader.next();
        CHECK_FALSE(reader.head_wants_bytes());
        CHECK(reader.read_head({}) == head_status::need_more);
        CHECK(reader.head_wants_bytes());
        feed_head(reader, "Host: h\r\n\r\n");
        CHECK(reader.read_head({}) == head_status::complete);
        CHECK(reader.head().path == "/later");
    }

    TEST_CASE("a body of known length, however it is split") {
        const policy rules;
        for (const std::size_t with_head : {0UL, 1UL, 5UL, 11UL}) {
            for (const std::size_t at_once : {1UL, 3UL, 64UL}) {
                for (const std::size_t window : {1UL, 4UL, 64UL}) {
                    const std::string_view body = "hello world";
                    http1_reader reader(rules);
                    feed_head(reader, std::string(post) + std::string(body.substr(0, with_head)));
                    REQUIRE(reader.read_head({}) == head_status::complete);
                    CHECK(reader.body_left() == 11);
                    CHECK(read_body(reader, body.substr(with_head), at_once, window) == body);
                    CHECK(reader.body_left() == 0);
                }
            }
        }
    }

    TEST_CASE("a chunked body, however it is split, and the request behind it") {
        const policy rules;
        const std::string wire = "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n";
        for (std::size_t with_head = 0; with_head <= wire.size(); ++with_head) {
            for (const std::size_t at_once : {1UL, 7UL, 64UL}) {
                http1_reader reader(rules);
                feed_head(reader, std::string(chunked) + wire.substr(0, with_head));
                REQUIRE(reader.read_head({}) == head_status::complete);
                const std::string rest = wire.substr(with_head);
                CHECK(read_body(reader, rest, at_once, 4) == "hello world");
                CHECK_FALSE(reader.has_unread());
                reader.next();
                feed_head(reader, get);
                CHECK(reader.read_head({}) == head_status::complete);
            }
        }
    }

    TEST_CASE("a body that cannot be read") {
        policy rules;
        rules.limit_request_body = 4;
        for (const auto& [wire, status] : {
                 std::pair{"zz\r\n", body_status::malformed},
                 std::pair{"5\r\nhello", body_status::too_large},
             }) {
            http1_reader reader(rules);
            feed_head(reader, std::string(chunked) + wire);
            REQUIRE(reader.read_head({}) == head_status::complete);
            std::array<char, 16> into;
            CHECK(reader.read_body(into).status == status);
        }
    }

    TEST_CASE("100 Continue is due until it is sent, and not without a body") {
        const policy rules;
        http1_reader reader(rules);
        feed_head(reader, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        REQUIRE(reader.read_head({}) == head_status::complete);
        CHECK(reader.continue_due());
        reader.continue_sent();
        CHECK_FALSE(reader.continue_due());
        http1_reader other(rules);
        feed_head(other, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
        REQUIRE(other.read_head({}) == head_status::complete);
        CHECK_FALSE(other.continue_due());
        CHECK(other.body_done());
    }

    TEST_CASE("what TLS carries is https, unless a trusted peer says otherwise") {
        policy rules;
        rules.secure_scheme_headers = {{"X-FORWARDED-PROTO", "https"}};
        const std::string forwarded = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: http\r\n\r\n";
        const auto scheme = [&rules](peer sender, std::string_view request) {
            http1_reader reader(rules);
            feed_head(reader, request);
            REQUIRE(reader.read_head(sender) == head_status::complete);
            return std::string(reader.head().scheme);
        };
        CHECK(scheme(peer(peer_trust::untrusted, false), get) == "http");
        CHECK(scheme(peer(peer_trust::untrusted, true), get) == "https");
        CHECK(scheme(peer(peer_trust::untrusted, true), forwarded) == "https");
        CHECK(scheme(peer(peer_trust::trusted, true), forwarded) == "http");
    }

    TEST_CASE("a refusal names its rule") {
        const policy rules;
        http1_reader reader(rules);
        feed_head(reader, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
        CHECK(reader.read_head({}) == head_status::refused);
        CHECK(reader.refused_because().status == 400);
        reader.clear();
        feed_head(reader, get);
        CHECK(reader.read_head({}) == head_status::complete);
    }
}

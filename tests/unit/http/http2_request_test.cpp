// SPDX-License-Identifier: MIT
#include "http/http2_request.hpp"

#include "support/doctest.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace {

using namespace unicoro;
using given = std::initializer_list<std::pair<std::string_view, std::string_view>>;

constexpr std::size_t list_limit = 65536;

/// One that asks for a WebSocket, but for what it says of the protocol.
struct asked {
    asked(std::string_view protocol, std::string_view method = "CONNECT", const given& more = {})
        : request(rules, list_limit), fields(rules) {
        request.add(":method", method);
        request.add(":protocol", protocol);
        request.add(":scheme", "https");
        request.add(":path", "/chat?a=b");
        request.add(":authority", "example.org");
        for (const auto& [name, value] : more) request.add(name, value);
        whole = request.finish(fields, {}, http::http2_request::body::follows);
    }

    http::policy rules;
    http::http2_request request;
    http::field_rules fields;
    bool whole = false;
};

}  // namespace

TEST_SUITE("http2_request") {
    TEST_CASE("an extended CONNECT for a WebSocket is the GET that asks for one") {
        const asked made("WebSocket", "CONNECT", {{"sec-websocket-version", "13"}});
        REQUIRE(made.whole);
        const http::request_head& head = made.request.head();
        CHECK(head.wants_websocket);
        CHECK(head.method == "GET");
        CHECK(head.target == "/chat?a=b");
        CHECK(head.path == "/chat");
        CHECK(head.authority == "example.org");
        CHECK(head.version == http::version::http_2);
        // What follows is no body.
        CHECK(head.framing == http::body_framing::none);
    }

    TEST_CASE("one with a length is left to the handshake") {
        const asked made("websocket", "CONNECT", {{"content-length", "5"}});
        CHECK(made.whole);
        CHECK(made.request.head().content_length == 5);
    }

    TEST_CASE("other protocols, and other methods") {
        for (const std::string_view protocol : {"connect-udp", "websocket2", "h2c", ""}) {
            const asked made(protocol);
            CHECK(!made.whole);
            CHECK(made.request.refused_because().status == 501);
        }
        const asked made("websocket", "GET");
        CHECK(!made.whole);
        CHECK(made.request.refused_because().status == 400);
    }
}

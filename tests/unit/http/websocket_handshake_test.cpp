// SPDX-License-Identifier: MIT
#include "http/websocket_handshake.hpp"

#include "http/request_parser.hpp"
#include "support/doctest.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace {

using unicoro::http::peer_trust;
using unicoro::http::policy;
using unicoro::http::refusal;
using unicoro::http::request_parser;

/// A head that was parsed, with the bytes it points into.
struct parsed {
    explicit parsed(std::string fields, std::string line = "GET /chat HTTP/1.1")
        : bytes(std::move(line) + "\r\nHost: test\r\n" + std::move(fields) + "\r\n") {
        parser.parse_head(bytes, peer_trust::untrusted);
    }

    [[nodiscard]] const unicoro::http::request_head& head() const { return parser.head(); }

    std::string bytes;
    policy rules;
    request_parser parser{rules};
};

const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";
const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

}  // namespace

TEST_SUITE("websocket_handshake") {
    TEST_CASE("the answer to the key of RFC 6455, 1.3") {
        CHECK(unicoro::http::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    TEST_CASE("what asks for a WebSocket") {
        CHECK(parsed(upgrade).head().wants_websocket);
        CHECK(parsed("upgrade: h2c, WebSocket\r\nconnection: keep-alive, UPGRADE\r\n").head().wants_websocket
        );
        CHECK(parsed("Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: x\r\nConnection: upgrade\r\n")
                  .head()
                  .wants_websocket);
        CHECK(!parsed("").head().wants_websocket);
        CHECK(!parsed("Upgrade: websocket\r\n").head().wants_websocket);
        CHECK(!parsed("Connection: Upgrade\r\n").head().wants_websocket);
        CHECK(!parsed("Upgrade: websockets\r\nConnection: Upgrade\r\n").head().wants_websocket);
        CHECK(!parsed("Upgrade: websocket/13\r\nConnection: Upgrade\r\n").head().wants_websocket);
        CHECK(!parsed(upgrade, "GET /chat HTTP/1.0").head().wants_websocket);
    }

    TEST_CASE("in HTTP/2 there is no key, and nothing else is missing") {
        refusal why;
        parsed asked(upgrade + version);
        CHECK(!unicoro::http::valid_websocket_handshake(asked.head(), why));
        unicoro::http::request_head head = asked.head();
        head.version = unicoro::http::version::http_2;
        CHECK(unicoro::http::valid_websocket_handshake(head, why));
        parsed old(upgrade + "Sec-WebSocket-Version: 12\r\n");
        head = old.head();
        head.version = unicoro::http::version::http_2;
        CHECK(!unicoro::http::valid_websocket_handshake(head, why));
        CHECK(why.status == 426);
    }

    TEST_CASE("fields that the handshake decides about") {
        for (const std::string_view name :
             {"sec-websocket-accept", "Sec-WebSocket-X", "UPGRADE", "content-length"}) {
            CHECK(unicoro::http::is_of_handshake(name));
        }
        for (const std::string_view name : {"", "Sec-WebSocket", "X-Sec-WebSocket-Accept", "Server"}) {
            CHECK(!unicoro::http::is_of_handshake(name));
        }
    }

    TEST_CASE("a parser forgets that the request before wanted one") {
        const policy rules;
        request_parser parser(rules);
        const std::string first = "GET / HTTP/1.1\r\nHost: t\r\n" + upgrade + "\r\n";
        const std::string second = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
        parser.parse_head(first, peer_trust::untrusted);
        CHECK(parser.head().wants_websocket);
        parser.reset();
        parser.parse_head(second, peer_trust::untrusted);
        CHECK(!parser.head().wants_websocket);
    }

    TEST_CASE("the handshake of RFC 6455, 1.3 is right") {
        refusal why;
        const parsed right(upgrade + version + key);
        CHECK(valid_websocket_handshake(right.head(), why));
        const parsed with_length(upgrade + version + key + "Content-Length: 0\r\n");
        CHECK(valid_websocket_handshake(with_length.head(), why));
    }

    TEST_CASE("mistakes of a handshake") {
        struct row {
            std::string fields;
            int status;
            std::string detail;
        };
        const row rows[] = {
            {version, 400, "missing"},
            {key, 400, "missing"},
            {version + version + key, 400, "twice"},
            {version + key + key, 400, "twice"},
            {"Sec-WebSocket-Version: 8\r\n" + key, 426, "version 13"},
            {"Sec-WebSocket-Version: 013\r\n" + key, 426, "version 13"},
            {"Sec-WebSocket-Version: 13, 8\r\n" + key, 426, "version 13"},
            {"Sec-WebSocket-Version: 8\r\n", 426, "version 13"},
            {version + "Sec-WebSocket-Key: \r\n", 400, "base64"},
            {version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", 400, "base64"},
            {version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQQ=\r\n", 400, "base64"},
            {version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n", 400, "base64"},
            {version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQdGhlIA==\r\n", 400, "base64"},
            {version + key + "Sec-WebSocket-Protocol: a, b, a\r\n", 400, "twice"},
            {version + key + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", 400, "twice"},
            {version + key + "Sec-WebSocket-Protocol: a b\r\n", 400, "token"},
            {version + key + "Content-Length: 3\r\n", 400, "body"},
            {version + key + "Transfer-Encoding: chunked\r\n", 400, "body"},
        };
        for (const row& r : rows) {
            const parsed wrong(upgrade + r.fields);
            refusal why;
            why.status = 0;
            INFO(r.fields);
            REQUIRE(wrong.head().wants_websocket);
            CHECK(!valid_websocket_handshake(wrong.head(), why));
            CHECK(why.status == r.status);
            CHECK(why.detail.find(r.detail) != std::string::npos);
        }
        const parsed ordinary(version + key);
        refusal no_upgrade;
        CHECK(!valid_websocket_handshake(ordinary.head(), no_upgrade));
        CHECK(no_upgrade.status == 426);
        const parsed post(upgrade + version + key, "POST /chat HTTP/1.1");
        refusal why;
        CHECK(!valid_websocket_handshake(post.head(), why));
        CHECK(why.status == 400);
    }

    TEST_CASE("subprotocols and extensions are joined over fields") {
        const parsed some(
            "Sec-WebSocket-Protocol: chat, , superchat\r\nSec-WebSocket-Extensions: a; x=1\r\n"
            "sec-websocket-protocol:\r\nsec-websocket-protocol: graphql-ws\r\n"
            "sec-websocket-extensions: b\r\n"
        );
        const auto offered = unicoro::http::offered_subprotocols(some.head());
        REQUIRE(offered.size() == 3);
        CHECK(offered[0] == "chat");
        CHECK(offered[1] == "superchat");
        CHECK(offered[2] == "graphql-ws");
        CHECK(unicoro::http::offered_extensions(some.head()) == "a; x=1, b");
        const parsed none("");
        CHECK(unicoro::http::offered_subprotocols(none.head()).empty());
        CHECK(unicoro::http::offered_extensions(none.head()).empty());
    }
}

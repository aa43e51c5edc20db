// SPDX-License-Identifier: MIT
#include "http/http1_writer.hpp"

#include "support/doctest.hpp"

#include <cstdint>
#include <optional>
#include <string>

using namespace unicoro::http;

namespace {

std::string text_of(const http1_writer::output& made) {
    std::string text;
    for (const std::string_view part : made.parts) text.append(part);
    return text;
}

std::string without_head(const std::string& text) {
    return text.substr(text.find("\r\n\r\n") + 4);
}

response_context context_of(version v, std::optional<std::uint64_t> length = {}) {
    response_context context;
    context.request_version = v;
    context.body_length = length;
    return context;
}

}  // namespace

TEST_SUITE("http1_writer") {
    TEST_CASE("a whole body, small or large, follows its head once") {
        for (const std::size_t size : {0UL, 5UL, 2048UL, 2049UL, 100'000UL}) {
            CAPTURE(size);
            const std::string body(size, 'x');
            http1_writer writer;
            writer.begin({}, context_of(version::http_1_1, size));
            CHECK(writer.begun());
            const http1_writer::output made = writer.whole(body);
            CHECK(
                text_of(made) ==
                "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body
            );
            CHECK(made.body_bytes == size);
            CHECK(writer.end().empty());
            CHECK_FALSE(writer.is_short());
        }
    }

    TEST_CASE("pieces of unknown length are chunks, and the head is in the first alone") {
        http1_writer writer;
        writer.begin({}, context_of(version::http_1_1));
        CHECK(
            text_of(writer.piece("hello")) ==
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        );
        CHECK(text_of(writer.piece(std::string(26, 'z'))) == "1a\r\n" + std::string(26, 'z') + "\r\n");
        CHECK(writer.end() == "0\r\n\r\n");
        CHECK(writer.body_bytes() == 31);
    }

    TEST_CASE("hints go out ahead of the response, and what is left of them in front of its head") {
        const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        response_head hints;
        REQUIRE(!hints.add("Link", "</a>"));
        REQUIRE(!hints.add("Content-Length", "7"));
        http1_writer writer;
        CHECK(writer.interim().empty());
        writer.add_hints({});
        CHECK(writer.interim().empty());
        writer.add_hints(hints);
        CHECK(writer.interim() == hint);
        writer.interim_sent(hint.size());
        CHECK(writer.interim().empty());
        writer.add_hints(hints);
        writer.interim_sent(9);
        writer.add_hints(hints);
        writer.begin({}, context_of(version::http_1_1, 2));
        CHECK(
            text_of(writer.whole("ok")) ==
            hint.substr(9) + hint + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        );
    }

    TEST_CASE("a client that reads nothing has a bounded number of hints waiting") {
        response_head hints;
        REQUIRE(!hints.add("Link", std::string(8000, 'x')));
        http1_writer writer;
        for (int i = 0; i < 100; ++i) writer.add_hints(hints);
        CHECK(writer.interim().size() <= 64 * 1024);
        CHECK(writer.interim().ends_with("xx\r\n\r\n"));
    }

    TEST_CASE("HTTP/1.0 has no chunks") {
        http1_writer writer;
        writer.begin({}, context_of(version::http_1_0));
        CHECK(without_head(text_of(writer.piece("one "))) == "one ");
        CHECK(text_of(writer.piece("two")) == "two");
        CHECK(writer.end().empty());
        CHECK(writer.plan().framing == response_framing::until_close);
    }

    TEST_CASE("what goes beyond Content-Length is dropped and told once, what is missing is known") {
        response_head head;
        REQUIRE(!head.add("Content-Length", "5"));
        http1_writer writer;
        writer.begin(head, context_of(version::http_1_1));
        CHECK(without_head(text_of(writer.piece("hel"))) == "hel");
        CHECK(writer.is_short());
        const http1_writer::output over = writer.piece("lo world");
        CHECK(text_of(over) == "lo");
        CHECK(over.overrun);
        CHECK(over.body_bytes == 2);
        CHECK_FALSE(writer.is_short());
        const http1_writer::output again = writer.piece("!");
        CHECK(text_of(again).empty());
        CHECK_FALSE(again.overrun);
    }

    TEST_CASE("the answer to HEAD has no body, and that is no overrun") {
        response_head head;
        REQUIRE(!head.add("Content-Length", "5"));
        response_context context = context_of(version::http_1_1);
        context.head_request = true;
        http1_writer writer;
        writer.begin(head, context);
        const http1_writer::output made = writer.piece("hello");
        CHECK(without_head(text_of(made)).empty());
        CHECK_FALSE(made.overrun);
        CHECK(made.body_bytes == 0);
        CHECK_FALSE(writer.is_short());
    }

    TEST_CASE("bytes from elsewhere are framed as one chunk, or clipped to the length") {
        http1_writer writer;
        writer.begin({}, context_of(version::http_1_1));
        CHECK(without_head(std::string(writer.around(0).before)) == "0\r\n");
        CHECK(writer.around(UINT64_MAX).before == "ffffffffffffffff\r\n");
        CHECK(writer.around(1).behind == "\r\n");
        writer.reset();
        response_head head;
        REQUIRE(!head.add("Content-Length", "5"));
        writer.begin(head, context_of(version::http_1_1));
        const http1_writer::surroundings clipped = writer.around(9);
        CHECK(clipped.admitted == 5);
        CHECK(clipped.behind.empty());
        CHECK(without_head(std::string(clipped.before)).empty());
    }

    TEST_CASE("reset begins a fresh response") {
        http1_writer writer;
        writer.begin({}, context_of(version::http_1_1));
        const http1_writer::output first = writer.piece("x");
        CHECK(first.body_bytes == 1);
        writer.reset();
        CHECK_FALSE(writer.begun());
        CHECK(writer.body_bytes() == 0);
        writer.begin({}, context_of(version::http_1_1, 2));
        CHECK(text_of(writer.whole("ok")) == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
}

// SPDX-License-Identifier: MIT
#include "http/response_head.hpp"

#include "http/http1_writer.hpp"
#include "http/http_date.hpp"

#include "support/doctest.hpp"

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace unicoro::http;
using unicoro::errc;

struct written {
    std::string wire;
    response_plan plan;
};

written write(const response_head& head, const response_context& context) {
    http1_writer writer;
    writer.begin(head, context);
    const std::string out(writer.whole({}).parts[0]);
    return {out.substr(0, out.find("\r\n\r\n") + 4), writer.plan()};
}

response_context context_of(version v, bool keep_alive, std::optional<std::uint64_t> length = {}) {
    response_context c;
    c.request_version = v;
    c.keep_alive = keep_alive;
    c.body_length = length;
    return c;
}

}  // namespace

TEST_SUITE("response_head") {
    TEST_CASE("the wire form, in full") {
        response_head head;
        REQUIRE(!head.add("Content-Type", "text/plain"));
        REQUIRE(!head.add("X-A", " \t1\t "));
        response_context c = context_of(version::http_1_1, true, 5);
        c.server = "unicoro";
        c.date = "Sun, 06 Nov 1994 08:49:37 GMT";
        const auto [wire, plan] = write(head, c);
        CHECK(
            wire ==
            "HTTP/1.1 200 OK\r\nServer: unicoro\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n"
        );
        CHECK(plan.framing == response_framing::length);
        CHECK(plan.length == 5);
        CHECK(plan.keep_alive);
    }

    TEST_CASE("status") {
        response_head head;
        CHECK(!head.set_status(404));
        CHECK(
            write(head, context_of(version::http_1_1, true, 0)).wire.substr(0, 24) ==
            "HTTP/1.1 404 Not Found\r\n"
        );
        CHECK(!head.set_status(404, "Nothing \xe9 here"));
        CHECK(
            write(head, context_of(version::http_1_1, true, 0)).wire.substr(0, 29) ==
            "HTTP/1.1 404 Nothing \xe9 here\r\n"
        );
        CHECK(!head.set_status(299));
        CHECK(
            write(head, context_of(version::http_1_1, true, 0)).wire.substr(0, 22) ==
            "HTTP/1.1 299 Unknown\r\n"
        );
        for (const int code : {-1, 0, 99, 100, 101, 199, 600, 1000}) {
            CAPTURE(code);
            CHECK(head.set_status(code) == errc::invalid_status);
        }
        CHECK(head.set_status(200, "OK\r\nX: 1") == errc::invalid_status);
        CHECK(head.set_status(200, std::string_view("a\0", 2)) == errc::invalid_status);
        CHECK(head.status() == 299);
    }

    TEST_CASE("invalid fields leave the head unchanged") {
        response_head head;
        struct row {
            std::string_view name, value;
        };
        const row rows[] = {
            {"", "a"},
            {"a b", "c"},
            {"a:", "c"},
            {"a\r\nb", "c"},
            {"\xe9", "c"},
            {"a", "b\r\nc"},
            {"a", "b\nc"},
            {"a", "b\rc"},
            {"a", std::string_view("\0", 1)},
            {"a", "\x7f"},
            {"Content-Length", ""},
            {"Content-Length", "-1"},
            {"Content-Length", "1x"},
            {"Content-Length", "18446744073709551616"},
        };
        for (const row& r : rows) {
            CAPTURE(r.name);
            CAPTURE(r.value);
            CHECK(head.add(r.name, r.value) == errc::invalid_header);
        }
        std::vector<field> fields;
        head.list_fields(fields);
        CHECK(fields.empty());
        CHECK(!head.content_length());
        CHECK(!head.add("content-length", "3"));
        CHECK(head.add("Content-Length", "3") == errc::invalid_header);
        CHECK(head.content_length() == 3);
    }

    TEST_CASE("the connection's fields are dropped, close is heard") {
        response_head head;
        for (const std::string_view name :
             {"Server",
              "DATE",
              "Transfer-Encoding",
              "Keep-Alive",
              "Trailer",
              "Proxy-Authenticate",
              "Proxy-Connection"}) {
            CHECK(!head.add(name, "x"));
        }
        CHECK(!head.add("Connection", "keep-alive, upgrade"));
        CHECK(!head.close_requested());
        CHECK(!head.add("Proxy", "kept"));
        const std::string wire = write(head, context_of(version::http_1_1, true, 0)).wire;
        CHECK(wire == "HTTP/1.1 200 OK\r\nProxy: kept\r\nContent-Length: 0\r\n\r\n");
        CHECK(!head.add("connection", "foo,Close"));
        CHECK(head.close_requested());
        const written w = write(head, context_of(version::http_1_1, true, 0));
        CHECK(!w.plan.keep_alive);
        CHECK(w.wire.find("Connection: close\r\n") != std::string::npos);
    }

    TEST_CASE("framing and persistence") {
        struct row {
            int status;
            bool head_request;
            version v;
            bool keep_alive;
            std::optional<std::uint64_t> application, body;
            response_framing framing;
            std::optional<std::uint64_t> length;
            bool stays;
        };
        using rf = response_framing;
        constexpr auto v0 = version::http_1_0;
        constexpr auto v1 = version::http_1_1;
        const row rows[] = {
            {200, false, v1, true, {}, {}, rf::chunked, {}, true},
            {200, false, v1, false, {}, {}, rf::chunked, {}, false},
            {200, false, v1, true, {}, 7, rf::length, 7, true},
            {200, false, v1, true, 9, 7, rf::length, 9, true},
            {200, false, v1, true, {}, 0, rf::length, 0, true},
            {200, false, v0, true, {}, {}, rf::until_close, {}, false},
            {200, false, v0, true, 4, {}, rf::length, 4, true},
            {200, false, v0, false, 4, {}, rf::length, 4, false},
            {200, true, v1, true, {}, {}, rf::no_body, {}, true},
            {200, true, v0, true, {}, {}, rf::no_body, {}, true},
            {200, true, v1, true, 4, {}, rf::no_body, 4, true},
            {200, true, v1, true, {}, 7, rf::no_body, 7, true},
            {200, true, v1, true, {}, 0, rf::no_body, {}, true},
            {204, false, v1, true, 4, 7, rf::no_body, {}, true},
            {204, true, v1, true, 4, 7, rf::no_body, {}, true},
            {304, false, v1, true, 4, {}, rf::no_body, 4, true},
            {304, false, v1, true, {}, 0, rf::no_body, {}, true},
            {304, true, v1, true, {}, 7, rf::no_body, {}, true},
        };
        for (const row& r : rows) {
            CAPTURE(r.status);
            CAPTURE(r.head_request);
            response_head head;
            REQUIRE(!head.set_status(r.status));
            if (r.application) REQUIRE(!head.add("Content-Length", std::to_string(*r.application)));
            response_context c = context_of(r.v, r.keep_alive, r.body);
            c.head_request = r.head_request;
            const written w = write(head, c);
            CHECK(w.plan.framing == r.framing);
            CHECK(w.plan.length == r.length);
            CHECK(w.plan.keep_alive == r.stays);
            const auto has = [&w](const std::string& text) { return w.wire.find(text) != std::string::npos; };
            CHECK(has("Transfer-Encoding: chunked\r\n") == (r.framing == rf::chunked));
            CHECK(has("Content-Length: ") == r.length.has_value());
            if (r.length) CHECK(has("Content-Length: " + std::to_string(*r.length) + "\r\n"));
            CHECK(has("Connection: close\r\n") == !r.stays);
            CHECK(has("Connection: keep-alive\r\n") == (r.stays && r.v == v0));
        }
    }

    TEST_CASE("fields listed for the log, and reset") {
        response_head head;
        REQUIRE(!head.set_status(201, "Made"));
        REQUIRE(!head.add("X-A", "a: b"));
        REQUIRE(!head.add("X-Empty", ""));
        REQUIRE(!head.add("Content-Length", "007"));
        std::vector<field> fields;
        head.list_fields(fields);
        REQUIRE(fields.size() == 3);
        CHECK(fields[0].name == "X-A");
        CHECK(fields[0].value == "a: b");
        CHECK(fields[1].value.empty());
        CHECK(fields[2].name == "Content-Length");
        CHECK(fields[2].value == "7");
        head.reset();
        CHECK(
            write(head, context_of(version::http_1_1, true)).wire ==
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        CHECK(!head.content_length());
    }

    TEST_CASE("fields are found and taken out again") {
        response_head head;
        for (const char* name : {"A", "b", "a", "C"}) CHECK(!head.add(name, "1"));
        CHECK(!head.add("Content-Length", "7"));
        CHECK(head.find("B") == "1");
        head.erase("a");
        CHECK(!head.find("A"));
        head.erase("none");
        head.drop_length();
        CHECK(!head.content_length());
        CHECK(
            write(head, context_of(version::http_1_1, true)).wire ==
            "HTTP/1.1 200 OK\r\nb: 1\r\nC: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        CHECK(!head.add("Content-Length", "0"));
        CHECK(head.content_length() == 0);
    }

    TEST_CASE("which statuses have a body") {
        for (const int code : {100, 101, 103, 199, 204, 304}) CHECK(!body_allowed(code));
        for (const int code : {200, 201, 205, 206, 301, 303, 305, 404, 500}) CHECK(body_allowed(code));
    }

    TEST_CASE("reason phrases") {
        CHECK(reason_phrase(200) == "OK");
        CHECK(reason_phrase(431) == "Request Header Fields Too Large");
        CHECK(reason_phrase(505) == "HTTP Version Not Supported");
        for (const int code : {0, 99, 299, 599, 600}) CHECK(reason_phrase(code) == "Unknown");
    }

    TEST_CASE("the error page escapes what a client sent") {
        CHECK(
            error_page(400, "a<b>&\"'") ==
            "<html>\n  <head>\n    <title>Bad Request</title>\n  </head>\n  <body>\n"
            "    <h1><p>Bad Request</p></h1>\n    a&lt;b&gt;&amp;&quot;&#x27;\n  </body>\n</html>\n"
        );
    }

    TEST_CASE("dates") {
        CHECK(imf_fixdate(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
        CHECK(imf_fixdate(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
        CHECK(imf_fixdate(951782399) == "Mon, 28 Feb 2000 23:59:59 GMT");
        CHECK(imf_fixdate(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
        CHECK(imf_fixdate(253402300799) == "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}

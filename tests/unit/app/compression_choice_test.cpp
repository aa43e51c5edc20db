// SPDX-License-Identifier: MIT
#include "app/compression_choice.hpp"

#include "app/file_redirect.hpp"
#include "support/doctest.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace unicoro::app;
using unicoro::compress::coding;
using unicoro::http::field;
using unicoro::http::request_head;
using unicoro::http::response_head;

namespace {

struct exchange_of {
    std::vector<field> asked{{"Accept-Encoding", "gzip, br, zstd"}};
    request_head request;
    response_head response;
    unicoro::settings::compression_settings values;
    response_facts known{.size = 5000};

    explicit exchange_of(std::initializer_list<field> answered = {}, int status = 200) {
        values.compression = {"zstd", "br", "gzip"};
        request.method = "GET";
        CHECK(!response.set_status(status));
        for (const field& each : answered) CHECK(!response.add(each.name, each.value));
        if (!response.find("Content-Type")) CHECK(!response.add("Content-Type", "text/html; charset=utf-8"));
    }

    exchange_of& ask(std::initializer_list<field> fields) {
        asked = fields;
        return *this;
    }

    compression_choice choose() {
        request.fields = asked;
        return choose_compression(values, request, response, known);
    }

    std::string text(std::string_view name) const {
        return std::string(response.find(name).value_or("none"));
    }
};

/// Told of by Vary, too.
bool is_never(exchange_of&& given) {
    const compression_choice made = given.choose();
    return !made.varies && !made.coding;
}

}  // namespace

TEST_SUITE("compression_choice") {
    TEST_CASE("the client's favourite, then the server's") {
        exchange_of given;
        CHECK(given.choose().coding == coding::zstd);
        CHECK(given.ask({{"Accept-Encoding", "gzip, zstd;q=0.5"}}).choose().coding == coding::gzip);
        given.values.compression = {"gzip"};
        CHECK(given.ask({{"Accept-Encoding", "br, gzip"}}).choose().coding == coding::gzip);
        for (const char* nothing : {"identity", "br", "gzip;q=0", "deflate"}) {
            const compression_choice made = given.ask({{"Accept-Encoding", nothing}}).choose();
            CHECK(!made.coding);
            CHECK(made.varies);
        }
        CHECK(!given.ask({}).choose().coding);
    }

    TEST_CASE("by type and size") {
        CHECK(exchange_of({{"Content-Type", "Application/JSON ;charset=utf-8"}}).choose().coding);
        for (const char* other : {"image/png", "text/event-stream", "text", ""}) {
            CHECK(is_never(exchange_of({{"Content-Type", other}})));
        }
        exchange_of small;
        small.known.size = 511;
        CHECK(!small.choose().varies);
        small.known.size = 512;
        CHECK(small.choose().coding);
        small.known.size.reset();
        CHECK(small.choose().coding);
        small.values.compression_min_length = 0;
        small.known.size = 0;
        CHECK(!small.choose().coding);
        CHECK(is_never(exchange_of({{"Content-Length", "100"}})));
    }

    TEST_CASE("what may not be changed") {
        for (const int status : {204, 205, 206, 304}) CHECK(is_never(exchange_of({}, status)));
        CHECK(exchange_of({}, 404).choose().coding);
        CHECK(is_never(exchange_of({{"Content-Encoding", "gzip"}})));
        CHECK(exchange_of({{"Content-Encoding", "identity"}}).choose().coding);
        CHECK(is_never(exchange_of({{"Cache-Control", "max-age=1, No-Transform"}})));
        CHECK(is_never(exchange_of({{"Content-Range", "bytes 0-1/2"}})));
        CHECK(is_never(exchange_of({{"Content-Digest", "sha-256=:x:"}})));
    }

    TEST_CASE("HTTP/1.0 knows no chunks") {
        exchange_of given;
        given.request.version = unicoro::http::version::http_1_0;
        CHECK(!given.choose().coding);
        CHECK(given.choose().varies);
    }

    TEST_CASE("what may hold secrets, unless it is asked for") {
        const field accept{"Accept-Encoding", "gzip"};
        for (const field& secret : {field{"Cookie", "a=b"}, field{"Authorization", "Basic eDp5"}}) {
            exchange_of given;
            CHECK(!given.ask({accept, secret}).choose().coding);
            CHECK(given.choose().varies);
            given.values.compression_private = true;
            CHECK(given.choose().coding == coding::gzip);
        }
        exchange_of certified;
        certified.known.client_certificate = true;
        CHECK(!certified.choose().coding);
        for (const field& secret :
             {field{"Set-Cookie", "a=b"},
              field{"Cache-Control", "no-cache, private=\"x\""},
              field{"Cache-Control", "No-Store"}}) {
            exchange_of given({secret});
            CHECK(!given.choose().varies);
            given.values.compression_private = true;
            CHECK(given.choose().coding == coding::zstd);
        }
    }

    TEST_CASE("the head of a compressed response") {
        exchange_of given(
            {{"ETag", "\"a\""}, {"Content-Length", "5000"}, {"Accept-Ranges", "bytes"}, {"X-Other", "1"}}
        );
        announce_coding(given.response, coding::br);
        CHECK(given.text("ETag") == "W/\"a\"");
        CHECK(given.text("Content-Encoding") == "br");
        CHECK(given.text("Accept-Ranges") == "none");
        CHECK(given.text("X-Other") == "1");
        CHECK(!given.response.content_length());
        announce_variance(given.response);
        CHECK(given.text("Vary") == "Accept-Encoding");
        for (const char* told : {"Cookie, accept-encoding", "*"}) {
            exchange_of other({{"Vary", told}});
            const std::size_t before = other.response.field_count();
            announce_variance(other.response);
            CHECK(other.response.field_count() == before);
        }
    }

    TEST_CASE("a 304 has the tag that the client knows") {
        for (const auto& [known, told] : {
                 std::pair("W/\"a\"", "W/\"a\""),
                 std::pair("\"b\", W/\"a\"", "W/\"a\""),
                 std::pair("\"a\"", "\"a\""),
             }) {
            exchange_of given({{"ETag", "\"a\""}}, 304);
            given.ask({{"If-None-Match", known}});
            given.request.fields = given.asked;
            match_weak_etag(given.request, given.response);
            CHECK(given.text("ETag") == told);
        }
    }
}

TEST_SUITE("file_redirect") {
    constexpr auto heeded = redirect_field::heeded;
    constexpr auto ignored = redirect_field::ignored;

    TEST_CASE("what is taken out of the head") {
        exchange_of given(
            {{"x-accel-redirect", "/a"},
             {"X-Sendfile", "/b"},
             {"ETag", "\"a\""},
             {"Content-Length", "7"},
             {"Content-Range", "bytes 0-6/9"},
             {"Set-Cookie", "a=b"}},
            206
        );
        const auto found = take_redirect(given.response, heeded, heeded);
        REQUIRE(found);
        CHECK(found->names == file_redirect::kind::url_path);
        CHECK(found->target == "/a");
        CHECK(given.response.status() == 200);
        CHECK(!given.response.content_length());
        for (const char* gone : {"X-Accel-Redirect", "X-Sendfile", "ETag", "Content-Range"}) {
            CHECK(!given.response.find(gone));
        }
        CHECK(given.text("Set-Cookie") == "a=b");
        CHECK(given.text("Content-Type") == "text/html; charset=utf-8");
    }

    TEST_CASE("one that is switched off is a field as any other") {
        exchange_of given({{"X-Accel-Redirect", "/a"}, {"X-Sendfile", "/b"}});
        CHECK(!take_redirect(given.response, ignored, ignored));
        CHECK(given.text("X-Accel-Redirect") == "/a");
        const auto found = take_redirect(given.response, ignored, heeded);
        REQUIRE(found);
        CHECK(found->target == "/b");
        CHECK(given.text("X-Accel-Redirect") == "/a");
    }

    TEST_CASE("nothing is sent where there is no body, or no success") {
        for (const int status : {204, 304, 403, 500}) {
            exchange_of given({{"X-Sendfile", "/b"}, {"ETag", "\"a\""}}, status);
            CHECK(!take_redirect(given.response, heeded, heeded));
            CHECK(!given.response.find("X-Sendfile"));
            CHECK(given.text("ETag") == "\"a\"");
            CHECK(given.response.status() == status);
        }
    }
}

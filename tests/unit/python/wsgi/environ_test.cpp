// SPDX-License-Identifier: MIT
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <string>

using unicoro::testing::fake_exchange;
using unicoro::testing::serve;
using unicoro::testing::take_log;

namespace {

std::string environ_of(fake_exchange& request) {
    serve(request);
    return request.body;
}

bool has(const std::string& json, const std::string& key, const std::string& value) {
    return json.find('"' + key + "\": \"" + value + '"') != std::string::npos;
}

bool lacks(const std::string& json, const std::string& key) {
    return json.find('"' + key + '"') == std::string::npos;
}

}  // namespace

TEST_SUITE("environ") {
    TEST_CASE("the keys of every request") {
        fake_exchange request("/environ/a%20b%2Fc%zz?x=1&y=%20");
        const std::string shown = environ_of(request);
        CAPTURE(shown);
        CHECK(has(shown, "REQUEST_METHOD", "GET"));
        CHECK(has(shown, "SCRIPT_NAME", ""));
        CHECK(has(shown, "PATH_INFO", "/environ/a b/c%zz"));
        CHECK(has(shown, "QUERY_STRING", "x=1&y=%20"));
        CHECK(has(shown, "RAW_URI", "/environ/a%20b%2Fc%zz?x=1&y=%20"));
        CHECK(has(shown, "REQUEST_URI", "/environ/a%20b%2Fc%zz?x=1&y=%20"));
        CHECK(has(shown, "SERVER_PROTOCOL", "HTTP/1.1"));
        CHECK(has(shown, "SERVER_NAME", "0.0.0.0"));
        CHECK(has(shown, "SERVER_PORT", "8000"));
        CHECK(has(shown, "REMOTE_ADDR", "127.0.0.1"));
        CHECK(has(shown, "REMOTE_PORT", "40123"));
        CHECK(has(shown, "HTTP_HOST", "example.org:8000"));
        CHECK(has(shown, "wsgi.url_scheme", "http"));
        CHECK(shown.find("\"SERVER_SOFTWARE\": \"unicoro/") != std::string::npos);
        CHECK(
            shown.find("[\"ErrorStream\", \"Input\", \"ResponseCallable\", \"bool\", "
                       "\"builtin_function_or_method\", \"str\", \"tuple\", "
                       "\"type\"]") != std::string::npos
        );
        CHECK(lacks(shown, "CONTENT_LENGTH"));
        CHECK(lacks(shown, "CONTENT_TYPE"));
        CHECK(lacks(shown, "filler a"));
    }

    TEST_CASE("PATH_INFO is the bytes of the path as Latin-1") {
        fake_exchange request("/environ/%C3%A9");
        CHECK(has(environ_of(request), "PATH_INFO", "/environ/\\u00c3\\u00a9"));
    }

    TEST_CASE("fields: names, repeats, the two without HTTP_") {
        fake_exchange request("/environ");
        request.add_field("X-Some-Thing", "1");
        request.add_field("accept", "a");
        request.add_field("Accept", "a");
        request.add_field("x-some-thing", "2");
        request.add_field("Cookie", "a=1");
        request.add_field("Cookie", "b=2");
        request.add_field("Content-Type", "text/x");
        request.add_field("content-length", "0");
        const std::string shown = environ_of(request);
        CAPTURE(shown);
        CHECK(has(shown, "HTTP_X_SOME_THING", "1,2"));
        CHECK(has(shown, "HTTP_ACCEPT", "a,a"));
        CHECK(has(shown, "HTTP_COOKIE", "a=1; b=2"));
        CHECK(has(shown, "CONTENT_TYPE", "text/x"));
        CHECK(has(shown, "CONTENT_LENGTH", "0"));
        CHECK(lacks(shown, "HTTP_CONTENT_TYPE"));
        CHECK(lacks(shown, "HTTP_CONTENT_LENGTH"));

        fake_exchange clean("/environ");
        const std::string next = environ_of(clean);
        CHECK(lacks(next, "HTTP_COOKIE"));
        CHECK(lacks(next, "CONTENT_TYPE"));
    }

    TEST_CASE("scheme, version, absolute-form") {
        fake_exchange request("/environ");
        request.request.scheme = "https";
        request.request.version = unicoro::http::version::http_1_0;
        request.request.target = "http://other/environ";
        request.request.authority = "other";
        const std::string shown = environ_of(request);
        CHECK(has(shown, "wsgi.url_scheme", "https"));
        CHECK(has(shown, "SERVER_PROTOCOL", "HTTP/1.0"));
        CHECK(has(shown, "RAW_URI", "http://other/environ"));
        CHECK(has(shown, "HTTP_HOST", "other"));
    }

    TEST_CASE("on a unix socket the Host field names the server") {
        struct row {
            const char* authority;
            const char* scheme;
            const char* name;
            const char* port;
        };
        const row rows[] = {
            {"example.org", "http", "example.org", "80"},
            {"example.org", "https", "example.org", "443"},
            {"example.org:81", "http", "example.org", "81"},
            {"[::1]", "http", "[::1]", "80"},
            {"[::1]:82", "http", "[::1]", "82"},
            {"", "http", "localhost", "80"},
        };
        for (const row& each : rows) {
            CAPTURE(each.authority);
            fake_exchange request("/environ");
            request.ends.unix_socket = true;
            request.ends.remote_address.clear();
            request.request.authority = each.authority;
            request.request.scheme = each.scheme;
            const std::string shown = environ_of(request);
            CHECK(has(shown, "SERVER_NAME", each.name));
            CHECK(has(shown, "SERVER_PORT", each.port));
            CHECK(has(shown, "REMOTE_ADDR", ""));
            CHECK(lacks(shown, "REMOTE_PORT"));
        }
    }

    TEST_CASE("SCRIPT_NAME takes whole segments off the path") {
        fake_exchange mounted("/mount/environ");
        mounted.is_at({"/mount", "", "/environ", 0, "/environ"});
        const std::string shown = environ_of(mounted);
        CHECK(has(shown, "SCRIPT_NAME", "/mount"));
        CHECK(has(shown, "PATH_INFO", "/environ"));
    }

    TEST_CASE("entries for the access log") {
        fake_exchange request("/hello");
        request.wanted_environ = {"REMOTE_ADDR", "wsgi.url_scheme", "http_host", "NONE"};
        serve(request);
        REQUIRE(request.environ.size() == 3);
        CHECK(request.environ[0].second == "127.0.0.1");
        CHECK(request.environ[1].second == "http");
        CHECK(request.environ[2] == std::pair<std::string, std::string>{"http_host", "example.org:8000"});
    }

    TEST_CASE("wsgi.errors writes whole lines to the error log") {
        take_log();
        fake_exchange request("/errors");
        serve(request);
        CHECK(take_log() == "from the application: € \\udcff\na b\nunfinished\n");
    }
}

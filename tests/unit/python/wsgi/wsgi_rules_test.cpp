// SPDX-License-Identifier: MIT
// start_response, the head, and what an application may do wrong (PEP 3333).
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <string>

using unicoro::testing::fake_exchange;
using unicoro::testing::python;
using unicoro::testing::serve;
using unicoro::testing::take_log;

TEST_SUITE("start_response") {
    TEST_CASE("status and headers reach the head") {
        fake_exchange request("/tuple");
        serve(request);
        CHECK(request.head_text.starts_with("HTTP/1.1 201 Made\r\n"));
        CHECK(request.field("Content-Type") == "text/plain");
        CHECK(request.field("Content-Length") == "6");
        CHECK(request.body == "onetwo");
    }

    TEST_CASE("arguments that are refused raise in the application") {
        struct row {
            const char* arguments;
            const char* error;
        };
        const row rows[] = {
            {"(200, [])", "TypeError: the status must be a str"},
            {"('200', [])", ""},
            {"('abc', [])", "ValueError: the status must be a number from 200 to 599"},
            {"('2000 OK', [])", "ValueError: the status must be"},
            {"('600 No', [])", "ValueError: the status must be"},
            {"('200 OK\\r\\nX: y', [])", "ValueError: the status must be"},
            {"('200 OK', 3)", "TypeError: the response headers must be a list"},
            {"('200 OK', ['ab'])", "TypeError: each response header must be a tuple"},
            {"('200 OK', [('a', 'b', 'c')])", "TypeError: each response header must be a tuple"},
            {"('200 OK', [('a', 3)])", "TypeError: a response header's value must be a str"},
            {"('200 OK', [(b'a', 'b')])", "TypeError: a response header's name must be a str"},
            {"('200 OK', [('a b', 'c')])", "ValueError: the response header 'a b'"},
            {"('200 OK', [('a', 'b\\r\\nX: y')])", "ValueError: the response header 'a'"},
            {"('200 OK', [('a', '\\u20ac')])", "ValueError: a response header's value has characters"},
            {"('200 OK', [('Content-Length', 'x')])", "ValueError: the response header"},
            {"('200 OK', [], 'exc')", "TypeError: exc_info must be"},
            {"('200 OK',)", "TypeError: start_response(status, headers"},
            {"('200 OK', [], None, 4)", "TypeError: start_response(status, headers"},
            {"('200 OK', [('a', '\\xe9')], None)", ""},
        };
        for (const row& each : rows) {
            CAPTURE(each.arguments);
            python(std::string("seen.update(arguments=") + each.arguments + ", error='')");
            fake_exchange request("/start");
            serve(request);
            const std::string error = python("seen['error']");
            if (*each.error == '\0') {
                CHECK(error == "''");
            } else {
                CHECK(error.find(each.error) != std::string::npos);
            }
        }
    }

    TEST_CASE("keywords, a second call, exc_info before and after the head") {
        fake_exchange keywords("/keywords");
        serve(keywords);
        CHECK(keywords.body == "keywords");

        fake_exchange twice("/twice");
        serve(twice);
        CHECK(twice.failed_with == 500);
        CHECK(take_log().find("AssertionError: start_response was called a second") != std::string::npos);

        fake_exchange replaced("/replaced");
        serve(replaced);
        CHECK(replaced.status() == 503);
        CHECK(replaced.field("X-New") == "2");
        CHECK_FALSE(replaced.field("X-Old"));

        fake_exchange late("/too_late");
        serve(late);
        CHECK(late.body == "sent");
        CHECK(late.failed_with == 500);
        CHECK(take_log().find("KeyError: 'the reason'") != std::string::npos);
    }

    TEST_CASE("write") {
        fake_exchange both("/write");
        serve(both);
        CHECK(both.body == "one two three");
        CHECK(both.pieces == std::vector<std::string>{"one ", "two ", "three"});
        CHECK(both.finished);

        fake_exchange only("/write_only");
        serve(only);
        CHECK(only.body == "only");
        CHECK(only.finished);

        fake_exchange replaced("/write_replaced");
        serve(replaced);
        CHECK(replaced.head_text.starts_with("HTTP/1.1 200 OK"));
        CHECK(replaced.body == "sent");
        CHECK(replaced.failed_with == 500);
        CHECK(take_log().find("KeyError: 'too late'") != std::string::npos);
    }

    TEST_CASE("write raises when the client has gone, which is no failure of the application") {
        take_log();
        fake_exchange left("/write");
        left.writes_until_failure = 1;
        serve(left);
        CHECK(left.body == "one ");
        CHECK(left.failed_with == 500);
        const std::string log = take_log();
        CHECK(log.find("[INFO] the client went away") != std::string::npos);
        CHECK(log.find("ERROR") == std::string::npos);
    }

    TEST_CASE("callables kept over the end of the request are dead, and not handed out again") {
        fake_exchange kept("/kept");
        serve(kept);
        CHECK(kept.body == "kept");
        fake_exchange next("/hello");
        serve(next);
        CHECK(next.body == "hello");
        CHECK(
            python("use_kept()") ==
            "['start_response was called after the end of its request', "
            "'write was called after the end of its request']"
        );
    }
}

TEST_SUITE("failing applications") {
    TEST_CASE("what is wrong is in the log, the client gets the server's page") {
        struct row {
            const char* path;
            const char* log;
        };
        const row rows[] = {
            {"/raises?a=1", "Error handling request GET /raises?a=1\nTraceback"},
            {"/raises", "LookupError: lost: €"},
            {"/raises_at_once", "ValueError: before any byte"},
            {"/exits", "SystemExit: 7"},
            {"/interrupted", "KeyboardInterrupt"},
            {"/never", "without calling start_response"},
            {"/never_iter", "without calling start_response"},
            {"/none", "TypeError: 'NoneType' object is not iterable"},
            {"/str", "must give bytes, not str"},
            {"/str_iter", "must give bytes, not str"},
            {"/unknown", "KeyError: 'app_unknown'"},
        };
        for (const row& each : rows) {
            CAPTURE(each.path);
            take_log();
            fake_exchange request(each.path);
            serve(request);
            CHECK(request.failed_with == 500);
            CHECK(request.head_text.empty());
            const std::string log = take_log();
            CAPTURE(log);
            CHECK(log.find(each.log) != std::string::npos);
        }
        fake_exchange after("/hello");
        serve(after);
        CHECK(after.body == "hello");
    }

    TEST_CASE("a failure in the middle breaks the response") {
        fake_exchange request("/raises_later");
        python("closed.clear()");
        serve(request);
        CHECK(request.body == "begun");
        CHECK(request.failed_with == 500);
        CHECK_FALSE(request.finished);
        CHECK(python("closed") == "['raises_later']");
        CHECK(take_log().find("ValueError: in the middle") != std::string::npos);
    }

    TEST_CASE("a process that the application forked never acts as the server") {
        fake_exchange request("/fork");
        serve(request);
        CHECK(request.body == "5");
    }
}

TEST_SUITE("wsgiref.validate") {
    TEST_CASE("finds nothing to complain about") {
        take_log();
        python("closed.clear()");
        fake_exchange plain("/valid/path%20x?q=1");
        serve(plain);
        CHECK(plain.body == "valid server");
        CHECK(python("closed") == "['valid']");

        fake_exchange posted("/valid", "POST");
        posted.give_body("line one\nline two\nthree");
        serve(posted);
        CHECK(posted.body == "valid server");

        fake_exchange list("/valid_list");
        serve(list);
        CHECK(list.body == "list");
        const std::string log = take_log();
        CAPTURE(log);
        CHECK(log == "checked\nchecked\n");
    }
}

// SPDX-License-Identifier: MIT
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <string>

using unicoro::testing::fake_exchange;
using unicoro::testing::python;
using unicoro::testing::serve;
using unicoro::testing::take_log;

TEST_SUITE("wsgi.input") {
    TEST_CASE("the body arrives whole, whatever its framing and size") {
        for (const auto framing :
             {unicoro::http::body_framing::length, unicoro::http::body_framing::chunked}) {
            for (const std::size_t size : {1U, 1000U, 1048576U, 3000000U}) {
                CAPTURE(size);
                fake_exchange request("/echo", "POST");
                std::string body(size, 'b');
                body.front() = 'f';
                body.back() = 'l';
                request.read_size = 100003;
                request.give_body(body, framing);
                serve(request);
                CHECK(request.body == body);
            }
        }
    }

    TEST_CASE("a chunked body has its length in the environ") {
        fake_exchange request("/environ", "POST");
        request.give_body("twelve bytes", unicoro::http::body_framing::chunked);
        serve(request);
        CHECK(request.body.find("\"CONTENT_LENGTH\": \"12\"") != std::string::npos);
    }

    TEST_CASE("lines and sizes") {
        fake_exchange request("/lines", "POST");
        request.give_body("one\ntwo and more\nthree\nfour\nfive\nsix\nseven");
        serve(request);
        CHECK(
            python("seen['lines']") ==
            "[b'one\\n', b'two', b' and more\\n', b'th', b'ree\\n', [b'four\\n'], "
            "[b'five\\n', b'six\\n', b'seven'], b'', b'', []]"
        );
    }

    TEST_CASE("methods behave as those of io's files") {
        struct row {
            const char* call;
            const char* result;
        };
        const row rows[] = {
            {"read(0)", "b''"},
            {"read(3)", "b'abc'"},
            {"read(None)", "b'abcd\\nef\\n'"},
            {"read(-5)", "b'abcd\\nef\\n'"},
            {"read(2**40)", "b'abcd\\nef\\n'"},
            {"read1(4)", "b'abcd'"},
            {"readline(0)", "b''"},
            {"readline(None)", "b'abcd\\n'"},
            {"readlines(0)", "[b'abcd\\n', b'ef\\n']"},
            {"readlines(5)", "[b'abcd\\n']"},
            {"readlines(6)", "[b'abcd\\n', b'ef\\n']"},
            {"readlines(None)", "[b'abcd\\n', b'ef\\n']"},
            {"readable()", "True"},
            {"seekable()", "False"},
            {"closed", "False"},
            {"close()", "None"},
        };
        for (const row& each : rows) {
            CAPTURE(each.call);
            fake_exchange request("/input", "POST");
            request.give_body("abcd\nef\n");
            serve(request);
            CHECK(python(std::string("seen['input'].") + each.call) == each.result);
        }
        CHECK(python("seen['input'].read('x')").find("TypeError") != std::string::npos);
        CHECK(python("seen['input'].read(1, 2)").find("TypeError") != std::string::npos);
        CHECK(python("[seen['input'].readinto(bytearray(3)), seen['input'].read()]") == "[3, b'd\\nef\\n']");
    }

    TEST_CASE("io can wrap it") {
        fake_exchange request("/input", "POST");
        request.give_body("caf\xc3\xa9\n");
        serve(request);
        CHECK(python("io.TextIOWrapper(seen['input'], 'utf-8').read()") == "'café\\n'");
    }

    TEST_CASE("it lives on when the application keeps it") {
        fake_exchange first("/input", "POST");
        first.give_body("kept");
        serve(first);
        fake_exchange second("/echo", "POST");
        second.give_body("other");
        serve(second);
        CHECK(python("seen['input'].read()") == "b'kept'");
    }

    TEST_CASE("a body that fails never reaches the application") {
        struct row {
            unicoro::error_code why;
            int status;
        };
        const row rows[] = {
            {unicoro::errc::body_too_large, 413},
            {unicoro::errc::malformed_body, 400},
            {unicoro::errc::incomplete_body, 400},
            {unicoro::errc::deadline_passed, 408},
        };
        for (const row& each : rows) {
            python("seen.pop('name', None)");
            fake_exchange request("/echo", "POST");
            request.give_body("some");
            request.read_error = each.why;
            serve(request);
            CHECK(request.failed_with == each.status);
            CHECK(python("seen.get('name')") == "None");
        }
    }
}

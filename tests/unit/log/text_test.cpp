// SPDX-License-Identifier: MIT
#include "log/text.hpp"

#include "log/log.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace unicoro {

using namespace std::string_literals;

namespace {

std::string formed(std::string_view text, log::text_form form) {
    std::string line;
    log::append_text(line, text, form);
    return line;
}

std::string json_of(std::string_view text) {
    std::string line;
    log::append_json_string(line, text);
    return line;
}

/// Every byte value, then random bytes: a fixed generator, so that a failure comes back.
std::string random_bytes(std::uint32_t seed) {
    std::string bytes;
    for (int i = 0; i < 64; ++i) {
        seed = seed * 1664525U + 1013904223U;
        bytes += static_cast<char>(seed >> 24U);
    }
    return bytes;
}

}  // namespace

TEST_SUITE("text") {
    TEST_CASE("client text cannot forge a line or command a terminal") {
        struct row {
            std::string input;
            std::string expected;
        };
        const row rows[] = {
            {"plain", "plain"},
            {"", ""},
            {"a\nb", "a\\x0ab"},
            {"a\r\n[2026] [1] [INFO] forged", "a\\x0d\\x0a[2026] [1] [INFO] forged"},
            {"\x1b[31m", "\\x1b[31m"},
            {"nul\0byte"s, "nul\\x00byte"},
            {"\x7f", "\\x7f"},
            {"back\\slash", "back\\\\slash"},
            {"\\x0a", "\\\\x0a"},
            {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
            {"\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
            {"\xc2\x9b"
             "31m",
             "\\xc2\\x9b31m"},
            {"\x9b"
             "31m",
             "\\x9b31m"},
            {"\xc0\x8a", "\\xc0\\x8a"},
            {"\xe0\x80\x8a", "\\xe0\\x80\\x8a"},
            {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
            {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
            {"cut \xe2\x82", "cut \\xe2\\x82"},
        };
        for (const row& r : rows) {
            CAPTURE(r.expected);
            CHECK(log::escaped(r.input) == r.expected);
        }
    }

    TEST_CASE("messages keep newline and tab, nothing else") {
        CHECK(formed("Traceback:\n\tline\r\x1b", log::text_form::message) == "Traceback:\n\tline\\x0d\\x1b");
        CHECK(formed("C:\\x \"q\"", log::text_form::message) == "C:\\x \"q\"");
    }

    TEST_CASE("quoted text escapes its quotes") {
        CHECK(formed("a\" \"b\\", log::text_form::quoted) == "a\\\" \\\"b\\\\");
    }

    TEST_CASE("escaped random bytes hold no control byte") {
        for (std::uint32_t seed = 0; seed < 500; ++seed) {
            for (const char c : log::escaped(random_bytes(seed))) {
                const auto byte = static_cast<unsigned char>(c);
                REQUIRE((byte >= 0x20 && byte != 0x7f));
            }
        }
    }

    TEST_CASE("JSON strings keep valid text and replace the rest") {
        CHECK(json_of("a\"b\\c\n\t") == R"("a\"b\\c\n\t")");
        CHECK(
            nlohmann::json::parse(json_of("gr\xc3\xbc\xc3\x9f \x1b\x7f\xc2\x9b")) ==
            "gr\xc3\xbc\xc3\x9f \x1b\x7f\xc2\x9b"
        );
        CHECK(json_of("\xff") == "\"\xef\xbf\xbd\"");
        CHECK(json_of("\xe2\x82") == "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    }

    TEST_CASE("random bytes always give valid JSON") {
        for (std::uint32_t seed = 0; seed < 500; ++seed) {
            const std::string text = json_of(random_bytes(seed));
            CHECK(nlohmann::json::accept(text));
        }
    }
}

}  // namespace unicoro

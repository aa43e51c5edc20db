// SPDX-License-Identifier: MIT
#include "unit/http/corpus.hpp"
#include "support/doctest.hpp"
#include "unit/http/conversation.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <set>
#include <string>

namespace {

using nlohmann::json;
using unicoro::test::converse;
using unicoro::test::corpus_file;
using unicoro::test::request_record;
using unicoro::test::transcript;

std::string hex(const std::string& bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char byte : bytes) {
        const auto code = static_cast<unsigned char>(byte);
        out.push_back(digits[code >> 4U]);
        out.push_back(digits[code & 15U]);
    }
    return out;
}

json all_of(const request_record& r) {
    json fields = json::array();
    // Only ASCII fits into JSON; other files do not name their fields.
    for (const auto& [name, value] : r.fields) fields.push_back({name, value});
    return {
        {"method", r.method},
        {"target", r.target},
        {"path", r.path},
        {"query", r.query},
        {"authority", r.authority},
        {"version", r.version},
        {"scheme", r.scheme},
        {"script_name", r.script_name},
        {"client", r.client},
        {"fields", fields},
        {"keep_alive", r.keep_alive},
        {"expects_continue", r.expects_continue},
        {"body", r.body},
        {"body_hex", hex(r.body)},
    };
}

void check_requests(const json& expected, const transcript& t, bool in_body) {
    REQUIRE(t.requests.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const json actual = all_of(t.requests[i]);
        for (const auto& [key, value] : expected[i].items()) {
            CAPTURE(key);
            REQUIRE(actual.contains(key));
            CHECK(actual[key] == value);
        }
        CHECK(t.requests[i].body_complete == !(in_body && i + 1 == expected.size()));
    }
}

void check_file(const corpus_file& f, const transcript& t) {
    const json expected = json::parse(f.expectation);
    const bool in_body = expected.value("in_body", false);
    CHECK(t.status == expected.value("status", 0));
    CHECK(t.in_body == in_body);
    CHECK(t.detail.find(expected.value("detail", "")) != std::string::npos);
    check_requests(expected.value("requests", json::array()), t, in_body);
}

}  // namespace

TEST_SUITE("corpus") {
    TEST_CASE("every file has the result that it states") {
        const auto files = unicoro::test::load_corpus();
        REQUIRE(files.size() > 200);
        for (const corpus_file& f : files) {
            CAPTURE(f.name);
            const json expected = json::parse(f.expectation);
            CHECK(!expected.value("rule", "").empty());
            CHECK(expected.contains("status") == f.refused);
            check_file(f, converse(f.rules, f.peer(), f.wire, unicoro::test::whole()));
        }
    }

    TEST_CASE("no two files show the same bytes under the same rules") {
        std::set<std::string> seen;
        for (const corpus_file& f : unicoro::test::load_corpus()) {
            CAPTURE(f.name);
            json expected = json::parse(f.expectation);
            CHECK(seen.insert(f.wire + expected.value("settings", json()).dump() + expected.value("peer", ""))
                      .second);
        }
    }

    TEST_CASE("a split anywhere changes nothing") {
        for (const corpus_file& f : unicoro::test::load_corpus()) {
            CAPTURE(f.name);
            const transcript at_once = converse(f.rules, f.peer(), f.wire, unicoro::test::whole());
            for (const std::size_t size : {1U, 2U, 3U, 7U, 64U}) {
                CAPTURE(size);
                CHECK(converse(f.rules, f.peer(), f.wire, unicoro::test::pieces_of(size)) == at_once);
            }
            // Long files repeat a byte: their first bytes and every 61st of the rest tell enough.
            for (std::size_t at = 1; at < f.wire.size(); at += at < 600 ? 1 : 61) {
                CAPTURE(at);
                const transcript t = converse(f.rules, f.peer(), f.wire, unicoro::test::split_at(at));
                if (t != at_once) FAIL_CHECK("the result differs");
            }
        }
    }
}

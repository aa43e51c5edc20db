// SPDX-License-Identifier: MIT
#include "http/conditions.hpp"

#include "http/accepted_codings.hpp"
#include "http/http_date.hpp"
#include "support/doctest.hpp"

#include <array>
#include <string>
#include <vector>

namespace http = unicoro::http;
using http::condition;
using namespace std::string_view_literals;

namespace {

constexpr std::int64_t modified = 784111777;
constexpr http::validators now{"\"v2\"", modified};
constexpr std::string_view same_time = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view earlier = "Sun, 06 Nov 1994 08:49:36 GMT";

http::request_head head_with(const std::vector<http::field>& fields) {
    http::request_head head;
    head.method = "GET";
    head.fields = fields;
    return head;
}

condition judged(const std::vector<http::field>& fields) {
    return http::judge_conditions(head_with(fields), now);
}

std::string accepted(const std::vector<http::field>& fields) {
    constexpr std::array<std::string_view, 3> known{"br", "zstd", "gzip"};
    std::string text;
    for (const auto each : http::accepted_codings(head_with(fields), known)) {
        text += (text.empty() ? "" : " ") + std::string(each);
    }
    return text;
}

}  // namespace

TEST_SUITE("conditions") {
    TEST_CASE("If-None-Match: 304 for a tag that is known, weak or not, in whichever line") {
        CHECK(judged({}) == condition::holds);
        CHECK(judged({{"If-None-Match", "\"v1\""}}) == condition::holds);
        CHECK(judged({{"If-None-Match", "\"v2\""}}) == condition::not_modified);
        CHECK(judged({{"if-none-match", "W/\"v2\""}}) == condition::not_modified);
        CHECK(judged({{"If-None-Match", "\"a,\", \"v1\" ,\"v2\""}}) == condition::not_modified);
        CHECK(judged({{"If-None-Match", "\"v1\""}, {"If-None-Match", "\"v2\""}}) == condition::not_modified);
        CHECK(judged({{"If-None-Match", " * "}}) == condition::not_modified);
        CHECK(judged({{"If-None-Match", ""}}) == condition::holds);
        CHECK(judged({{"If-None-Match", "v2, \"v"}}) == condition::holds);
    }

    TEST_CASE("If-Match: 412 for a tag that is not this one") {
        CHECK(judged({{"If-Match", "\"v2\""}}) == condition::holds);
        CHECK(judged({{"If-Match", "*"}}) == condition::holds);
        CHECK(judged({{"If-Match", "\"v1\", \"v3\""}}) == condition::failed);
        CHECK(judged({{"If-Match", "W/\"v2\""}}) == condition::failed);
    }

    TEST_CASE("dates count where there is no tag") {
        CHECK(judged({{"If-Modified-Since", same_time}}) == condition::not_modified);
        CHECK(judged({{"If-Modified-Since", earlier}}) == condition::holds);
        CHECK(judged({{"If-Modified-Since", "yesterday"}}) == condition::holds);
        CHECK(judged({{"If-None-Match", "\"v1\""}, {"If-Modified-Since", same_time}}) == condition::holds);
        CHECK(judged({{"If-Unmodified-Since", same_time}}) == condition::holds);
        CHECK(judged({{"If-Unmodified-Since", earlier}}) == condition::failed);
        CHECK(judged({{"If-Match", "\"v2\""}, {"If-Unmodified-Since", earlier}}) == condition::holds);
    }

    TEST_CASE("If-Range takes a strong tag or the very time") {
        const auto current = [](std::string_view value) {
            return http::range_is_current(head_with({{"If-Range", value}}), now);
        };
        CHECK(http::range_is_current(head_with({}), now));
        CHECK(current("\"v2\""));
        CHECK(current(same_time));
        CHECK_FALSE(http::range_is_current(head_with({{"If-Range", same_time}}), now, false));
        CHECK(http::range_is_current(head_with({{"If-Range", "\"v2\""}}), now, false));
        for (const std::string_view each : {"\"v1\""sv, "W/\"v2\""sv, earlier, ""sv, "v2"sv}) {
            CAPTURE(each);
            CHECK_FALSE(current(each));
        }
    }
}

TEST_SUITE("dates") {
    TEST_CASE("the form of today, and two of yesterday") {
        CHECK(http::read_date(same_time) == modified);
        CHECK(http::read_date("Sunday, 06-Nov-94 08:49:37 GMT") == modified);
        CHECK(http::read_date("Sun Nov  6 08:49:37 1994") == modified);
        CHECK(http::read_date("Tue Nov 16 08:49:37 1999") == 942742177);
        CHECK(http::read_date("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800);
        CHECK(http::read_date(http::imf_fixdate(1700000000)) == 1700000000);
    }

    TEST_CASE("others are none") {
        for (const std::string_view each :
             {"",
              "now",
              "Sun, 06 Nov 1994 08:49:37",
              "Sun, 06 Nov 1994 08:49:37 UTC",
              "Sun, 06 Nov 1994 08:49:37 GMT ",
              "Sun, 6 Nov 1994 08:49:37 GMT",
              "Sun, 31 Feb 1994 08:49:37 GMT",
              "Sun, 06 Foo 1994 08:49:37 GMT",
              "Sun, 06 Nov 1994 24:49:37 GMT",
              "Sun, 06 Nov 1994 08:60:37 GMT",
              "Sun, -6 Nov 1994 08:49:37 GMT",
              "Sunday, 06-Nov-9 08:49:37 GMT",
              "Sun Nov 6 08:49:37 1994"}) {
            CAPTURE(each);
            CHECK_FALSE(http::read_date(each));
        }
    }
}

TEST_SUITE("Accept-Encoding") {
    TEST_CASE("the client's favourite, else what packs best") {
        CHECK(accepted({}).empty());
        CHECK(accepted({{"Accept-Encoding", ""}}).empty());
        CHECK(accepted({{"Accept-Encoding", "gzip, deflate, br, zstd"}}) == "br zstd gzip");
        CHECK(accepted({{"Accept-Encoding", "br;q=0.5, gzip"}}) == "gzip br");
        CHECK(accepted({{"Accept-Encoding", "GZIP ; q=1.0"}}) == "gzip");
        CHECK(accepted({{"Accept-Encoding", "*"}}) == "br zstd gzip");
        CHECK(accepted({{"Accept-Encoding", "*;q=0.1, br;q=0"}}) == "zstd gzip");
        CHECK(accepted({{"Accept-Encoding", "gzip"}, {"accept-encoding", "br;q=0.9"}}) == "gzip br");
        CHECK(accepted({{"Accept-Encoding", "identity"}}).empty());
        CHECK(accepted({{"Accept-Encoding", "gzip;q=0"}}).empty());
        CHECK(accepted({{"Accept-Encoding", "gzip;q=x, br;level=1"}}).empty());
    }
}

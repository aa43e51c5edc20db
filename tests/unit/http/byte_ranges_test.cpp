// SPDX-License-Identifier: MIT
#include "http/byte_ranges.hpp"

#include "support/doctest.hpp"

#include <array>
#include <string>

namespace http = unicoro::http;

namespace {

/// "first+count" of each range; "whole" where that is what is sent, "none" where nothing can be.
std::string asked(std::string_view range, std::uint64_t size = 100, std::string_view method = "GET") {
    const std::array fields{http::field{"Range", range}};
    http::request_head head;
    head.method = method;
    head.fields = fields;
    const auto found = http::ranges_asked_for(head, size);
    if (!found) return "whole";
    std::string text;
    for (const http::byte_range& each : *found) {
        text += (text.empty() ? "" : " ") + std::to_string(each.first) + "+" + std::to_string(each.count);
    }
    return text.empty() ? "none" : text;
}

}  // namespace

TEST_SUITE("byte ranges") {
    TEST_CASE("one of each form") {
        CHECK(asked("bytes=0-0") == "0+1");
        CHECK(asked("bytes=10-19") == "10+10");
        CHECK(asked("bytes=10-") == "10+90");
        CHECK(asked("bytes=-10") == "90+10");
        CHECK(asked("bytes=-1000") == "0+100");
        CHECK(asked("bytes=90-1000") == "90+10");
        CHECK(asked("Bytes= 1 - 2 ") == "1+2");
        CHECK(asked("bytes=99-99") == "99+1");
    }

    TEST_CASE("several, in their order") {
        CHECK(asked("bytes=50-59, 0-9,-5") == "50+10 0+10 95+5");
        CHECK(asked("bytes=0-9,200-300") == "0+10");
    }

    TEST_CASE("beyond the end is nothing") {
        CHECK(asked("bytes=100-") == "none");
        CHECK(asked("bytes=100-200,300-") == "none");
        CHECK(asked("bytes=-0") == "none");
        CHECK(asked("bytes=0-", 0) == "none");
        CHECK(asked("bytes=-5", 0) == "none");
    }

    TEST_CASE("what cannot be read, or asks for too much, gets the whole") {
        for (const std::string_view each :
             {"",
              "bytes",
              "bytes=",
              "bytes=,",
              "bytes=-",
              "bytes=1",
              "bytes=2-1",
              "bytes=a-b",
              "bytes=1-2x",
              "bytes=+1-2",
              "bytes=1-2-3",
              "bytes=99999999999999999999-",
              "lines=1-2",
              "bytes=0-9,x",
              "bytes=0-99,0-99",
              "bytes=0-,0-",
              "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16"}) {
            CAPTURE(each);
            CHECK(asked(each) == "whole");
        }
    }

    TEST_CASE("ranges are of GET alone") {
        CHECK(asked("bytes=0-0", 100, "HEAD") == "whole");
        CHECK(asked("bytes=0-0", 100, "POST") == "whole");
    }
}

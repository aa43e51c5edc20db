// SPDX-License-Identifier: MIT
#include "app/spooled_body.hpp"
#include "support/doctest.hpp"
#include "unit/python/fake_exchange.hpp"

#include <boost/asio/co_spawn.hpp>

#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

using unicoro::app::spooled_body;
using unicoro::testing::fake_exchange;

namespace {

unicoro::error_code fill(spooled_body& body, fake_exchange& from) {
    boost::asio::io_context io{1};
    unicoro::error_code outcome;
    boost::asio::co_spawn(
        io.get_executor(),
        body.fill(from),
        [&outcome](const std::exception_ptr& failure, unicoro::error_code ec) {
            CHECK(failure == nullptr);
            outcome = ec;
        }
    );
    io.run();
    return outcome;
}

std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 23);
    return text;
}

}  // namespace

TEST_SUITE("spooled_body") {
    TEST_CASE("up to the bound in memory, beyond it in a file") {
        struct row {
            std::size_t size;
            std::size_t bound;
            bool in_memory;
        };
        const row rows[] = {
            {1, 100, true},
            {99, 100, true},
            {100, 100, true},
            {101, 100, false},
            {5000, 100, false},
            {40000, 1 << 20, true},
            {200000, 1000, false},
            {65536, 1000, false},
            {65536, 65536, true},
            {65537, 65536, false},
        };
        for (const auto framing :
             {unicoro::http::body_framing::length, unicoro::http::body_framing::chunked}) {
            for (const row& each : rows) {
                CAPTURE(each.size);
                CAPTURE(each.bound);
                fake_exchange request("/", "POST");
                request.read_size = 4093;
                const std::string sent = text_of(each.size);
                request.give_body(sent, framing);
                spooled_body body(each.bound);
                CHECK_FALSE(fill(body, request));
                CHECK(body.size() == each.size);
                CHECK(body.in_memory() == each.in_memory);
                const auto bytes = body.view();
                REQUIRE(bytes.has_value());
                CHECK(*bytes == sent);
                spooled_body moved(std::move(body));
                CHECK(*moved.view() == sent);
            }
        }
    }

    TEST_CASE("nothing read, nothing there") {
        spooled_body body;
        CHECK(body.size() == 0);
        CHECK(body.view()->empty());
    }

    TEST_CASE("errors of the client and of the disk come out") {
        fake_exchange cut("/", "POST");
        cut.give_body("abc");
        cut.read_error = unicoro::errc::incomplete_body;
        spooled_body body;
        CHECK(fill(body, cut) == unicoro::errc::incomplete_body);

        ::setenv("TMPDIR", "/nonexistent", 1);
        fake_exchange request("/", "POST");
        request.give_body("abcdefghij");
        spooled_body small(5);
        CHECK(fill(small, request) == boost::system::errc::no_such_file_or_directory);
        ::unsetenv("TMPDIR");
    }
}

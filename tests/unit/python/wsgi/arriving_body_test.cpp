// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/arriving_body.hpp"

#include "python/runtime/gil.hpp"
#include "python/runtime/text.hpp"
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

using unicoro::python::arriving_body;
using unicoro::python::gil_lock;
using unicoro::python::py_ref;

namespace {

constexpr std::size_t everything = std::string_view::npos;

std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 23);
    return text;
}

/// One read, of as much of `rest` as there is room for.
void read(arriving_body& body, std::string_view& rest, std::size_t most = everything) {
    const std::span<char> into = body.room(most);
    REQUIRE(!into.empty());
    const std::size_t count = std::min(into.size(), rest.size());
    std::memcpy(into.data(), rest.data(), count);
    rest.remove_prefix(count);
    body.came(count);
}

std::string take(arriving_body& body, std::size_t most) {
    const py_ref taken = body.take(most);
    REQUIRE(taken);
    return std::string(unicoro::python::view_of(taken.get()));
}

}  // namespace

TEST_SUITE("arriving body") {
    TEST_CASE("what is taken is what came") {
        unicoro::testing::the_host();
        const gil_lock gil;
        for (const bool known : {true, false}) {
            for (const std::size_t size : {1U, 65536U, 1048576U, 3000001U}) {
                for (const std::size_t wanted : {std::size_t{333}, std::size_t{70000}, everything}) {
                    CAPTURE(known);
                    CAPTURE(size);
                    CAPTURE(wanted);
                    const std::string sent = text_of(size);
                    std::string_view rest = sent;
                    arriving_body body(known ? std::optional<std::uint64_t>(size) : std::nullopt);
                    std::string got;
                    while (!body.complete() || body.size() > 0) {
                        while (body.size() < wanted && !body.complete()) {
                            REQUIRE(body.make_room(wanted));
                            read(body, rest, 70001);
                        }
                        got += take(body, wanted);
                    }
                    CHECK(got == sent);
                    CHECK(take(body, everything).empty());
                }
            }
        }
    }

    TEST_CASE("a body of known length that is read whole is not copied") {
        unicoro::testing::the_host();
        const gil_lock gil;
        const std::string sent = text_of(1000000);
        std::string_view rest = sent;
        arriving_body body(sent.size());
        REQUIRE(body.make_room(everything));
        const char* const memory = body.room(1).data();
        while (!body.complete()) read(body, rest, 100000);
        const py_ref whole = body.take(everything);
        CHECK(unicoro::python::view_of(whole.get()) == sent);
        CHECK(PyBytes_AS_STRING(whole.get()) == memory);
        CHECK_FALSE(body.has_memory());
    }

    TEST_CASE("memory follows what has come, not what was announced") {
        unicoro::testing::the_host();
        const gil_lock gil;
        arriving_body body(std::uint64_t{1} << 40);
        REQUIRE(body.make_room(everything));
        CHECK(body.room(everything).size() <= 1024 * 1024);
        // Who wants little of it keeps little.
        arriving_body small(std::uint64_t{1} << 40);
        REQUIRE(small.make_room(10));
        CHECK(small.room(everything).size() <= 64 * 1024);
    }

    TEST_CASE("what a read writes to stays where it is while others take") {
        unicoro::testing::the_host();
        const gil_lock gil;
        const std::string sent = text_of(2000);
        std::string_view rest = sent;
        arriving_body body(sent.size());
        REQUIRE(body.make_room(everything));
        const char* const memory = body.room(1).data();
        read(body, rest, 1500);
        body.lend();
        CHECK(take(body, everything) == sent.substr(0, 1500));
        CHECK(body.make_room(everything));
        CHECK(body.room(1).data() == memory + 1500);
        read(body, rest);
        body.give_back();
        CHECK(body.complete());
        CHECK(take(body, everything) == sent.substr(1500));
    }
}

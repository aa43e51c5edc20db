// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/unsent_backlog.hpp"

#include "support/doctest.hpp"

#include <cstddef>
#include <string>

using unicoro::python::unsent_backlog;

namespace {

/// Adds pieces of `size` and takes some back after every `rhythm` of them; true when all came out in order.
bool comes_through(std::size_t size, std::size_t count, std::size_t rhythm) {
    unsent_backlog backlog;
    std::string sent;
    std::string got;
    std::string taken;
    for (std::size_t number = 0; number < count; ++number) {
        std::string piece(size, static_cast<char>('a' + number % 26));
        piece.front() = static_cast<char>('A' + number % 23);
        if (!backlog.add(piece)) return false;
        sent += piece;
        if (number % rhythm != 0) continue;
        if (backlog.take(taken)) return false;
        got += taken;
    }
    do {
        if (backlog.take(taken)) return false;
        got += taken;
    } while (!taken.empty());
    return got == sent && !backlog.take(taken) && taken.empty();
}

}  // namespace

TEST_SUITE("unsent backlog") {
    TEST_CASE("first in, first out, in memory and in the file") {
        struct row {
            std::size_t size;
            std::size_t count;
        };
        for (const row& each :
             {row{1, 3000}, row{10000, 100}, row{10000, 700}, row{3000000, 3}, row{65537, 64}}) {
            for (const std::size_t rhythm : {1U, 2U, 5U, 100000U}) {
                CAPTURE(each.size);
                CAPTURE(rhythm);
                CHECK(comes_through(each.size, each.count, rhythm));
            }
        }
    }

    TEST_CASE("a small piece keeps little memory") {
        unsent_backlog backlog;
        REQUIRE(backlog.add("one"));
        std::string taken;
        REQUIRE(!backlog.take(taken));
        CHECK(taken == "one");
        CHECK(taken.capacity() <= 16 * 1024);
    }
}

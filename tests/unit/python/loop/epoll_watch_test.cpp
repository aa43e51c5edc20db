// SPDX-License-Identifier: MIT
#include "python/loop/epoll_watch.hpp"

#include "os/unique_fd.hpp"
#include "support/doctest.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

using unicoro::python::epoll_watch;

namespace {

void run_ready(unicoro::asio::io_context& io) {
    io.restart();
    io.poll();
}

}  // namespace

TEST_SUITE("epoll watch") {
    TEST_CASE("tells what is ready each time it is armed") {
        unicoro::asio::io_context io{1};
        int told = 0;
        const unicoro::os::unique_fd event(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
        {
            epoll_watch watch(io, [&told] { ++told; });
            watch.arm();
            run_ready(io);
            CHECK(told == 0);  // nothing is watched
            REQUIRE(!watch.open(event.get()));
            watch.arm();
            run_ready(io);
            CHECK(watch.ready());
            CHECK(told == 1);
            run_ready(io);
            CHECK(told == 1);
            CHECK(watch.take());
            CHECK(!watch.ready());
            // Nobody has read it: it is ready still.
            watch.arm();
            run_ready(io);
            CHECK(watch.ready());
            CHECK(told == 2);
            std::uint64_t value = 0;
            REQUIRE(::read(event.get(), &value, sizeof value) == sizeof value);
            watch.arm();
            run_ready(io);
            CHECK(!watch.ready());
            CHECK(told == 2);
            watch.close();
            CHECK(!watch.ready());
        }
        run_ready(io);
        CHECK(told == 2);
    }

    TEST_CASE("one after another") {
        unicoro::asio::io_context io{1};
        const unicoro::os::unique_fd quiet(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        const unicoro::os::unique_fd event(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
        epoll_watch watch(io);
        REQUIRE(!watch.open(quiet.get()));
        watch.arm();
        run_ready(io);
        CHECK(!watch.ready());
        REQUIRE(!watch.open(event.get()));
        watch.arm();
        run_ready(io);
        CHECK(watch.ready());
        CHECK(watch.open(-1));
        CHECK(!watch.ready());
    }
}

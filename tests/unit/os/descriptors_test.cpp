// SPDX-License-Identifier: MIT
#include "os/descriptors.hpp"

#include "support/doctest.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace os = unicoro::os;

namespace {

bool is_private(int fd) {
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

}  // namespace

TEST_SUITE_BEGIN("descriptors");

TEST_CASE("a unique_fd closes what it owns, once") {
    auto ends = os::make_pipe();
    REQUIRE(ends.has_value());
    const int read_end = ends->read.get();
    {
        os::unique_fd moved(std::move(ends->read));
        CHECK_FALSE(ends->read);
        CHECK(moved.get() == read_end);
    }
    CHECK(fcntl(read_end, F_GETFD) == -1);
    const int write_end = ends->write.release();
    CHECK_FALSE(ends->write);
    CHECK(close(write_end) == 0);
}

TEST_CASE("pipes, socket pairs and events are private") {
    const auto pipe = os::make_pipe();
    const auto pair = os::make_socket_pair();
    const auto event = os::make_event();
    REQUIRE(pipe.has_value());
    REQUIRE(pair.has_value());
    REQUIRE(event.has_value());
    for (const int fd :
         {pipe->read.get(), pipe->write.get(), pair->first.get(), pair->second.get(), event->get()}) {
        CHECK(is_private(fd));
    }
    CHECK(write(pair->first.get(), "x", 1) == 1);
    char byte = 0;
    CHECK(read(pair->second.get(), &byte, 1) == 1);
}

TEST_CASE("an event stays raised until it is cleared") {
    const auto event = os::make_event();
    REQUIRE(event.has_value());
    CHECK_FALSE(os::clear_event(event->get()));
    os::raise_event(event->get());
    os::raise_event(event->get());
    CHECK(os::clear_event(event->get()));
    CHECK_FALSE(os::clear_event(event->get()));
}

TEST_CASE("make_private reports a closed descriptor") {
    CHECK(os::make_private(-1) == boost::system::error_code(EBADF, boost::system::system_category()));
}

TEST_SUITE_END();

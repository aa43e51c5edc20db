// SPDX-License-Identifier: MIT
#include "os/lifeline.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace os = unicoro::os;
using unicoro::error_code;

namespace {

bool readable(int fd) {
    pollfd watched{fd, POLLIN, 0};
    return poll(&watched, 1, 0) == 1;
}

// The flags belong to the socket, not to the process: whoever has inherited it can change them.
void make_blocking(int fd) {
    REQUIRE(fcntl(fd, F_SETFL, 0) == 0);
}

}  // namespace

TEST_SUITE_BEGIN("lifeline");

TEST_CASE("rings are heard, and the end of the worker") {
    auto line = os::make_lifeline();
    REQUIRE(line.has_value());
    CHECK_FALSE(readable(line->master_end.get()));
    os::ring(line->worker_end.get());
    os::ring(line->worker_end.get());
    for (int i = 0; i < 2; ++i) {
        CHECK(readable(line->master_end.get()));
        CHECK(os::take_ring(line->master_end.get()));
    }
    CHECK_FALSE(readable(line->master_end.get()));
    CHECK(os::take_ring(line->master_end.get()));
    line->worker_end.reset();
    CHECK_FALSE(os::take_ring(line->master_end.get()));
}

TEST_CASE("the worker sees the end of the master") {
    auto line = os::make_lifeline();
    REQUIRE(line.has_value());
    CHECK_FALSE(readable(line->worker_end.get()));
    line->master_end.reset();
    CHECK(readable(line->worker_end.get()));
    CHECK_FALSE(os::take_file(line->worker_end.get()).has_value());
    os::ring(line->worker_end.get());
}

TEST_CASE("files are handed over with their names") {
    auto line = os::make_lifeline();
    REQUIRE(line.has_value());
    REQUIRE(os::take_file(line->worker_end.get()).has_value());
    CHECK_FALSE(os::take_file(line->worker_end.get())->fd);
    for (const char* name : {"one", "two"}) {
        const auto pipe = os::testing::make_pipe();
        REQUIRE(write(pipe.write.get(), name, 3) == 3);
        CHECK_FALSE(os::hand_file(line->master_end.get(), name, pipe.read.get()));
    }
    for (const char* name : {"one", "two"}) {
        const auto file = os::take_file(line->worker_end.get());
        REQUIRE(file.has_value());
        CHECK(file->name == name);
        char text[4] = {};
        CHECK(read(file->fd.get(), text, 3) == 3);
        CHECK(std::string(text) == name);
        CHECK((fcntl(file->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE("nothing waits, whatever the other side does") {
    auto line = os::make_lifeline();
    REQUIRE(line.has_value());
    SUBCASE("flags taken away") {
        make_blocking(line->master_end.get());
        make_blocking(line->worker_end.get());
        CHECK(os::take_ring(line->master_end.get()));
        CHECK(os::take_file(line->worker_end.get()).has_value());
    }
    SUBCASE("more rings than there is room for") {
        make_blocking(line->worker_end.get());
        for (int i = 0; i < 10'000; ++i) os::ring(line->worker_end.get());
        CHECK(os::take_ring(line->master_end.get()));
    }
    SUBCASE("more files than there is room for") {
        make_blocking(line->master_end.get());
        error_code failed;
        for (int i = 0; i < 10'000 && !failed; ++i) {
            failed = os::hand_file(line->master_end.get(), "file", STDOUT_FILENO);
        }
        // A process without privileges may have only so many under way.
        CHECK((failed.value() == EAGAIN || failed.value() == ETOOMANYREFS));
    }
    SUBCASE("bytes without a file") {
        REQUIRE(send(line->master_end.get(), "text", 4, 0) == 4);
        const auto file = os::take_file(line->worker_end.get());
        REQUIRE(file.has_value());
        CHECK_FALSE(file->fd);
    }
    SUBCASE("a number, and what is none") {
        os::tell_number(line->worker_end.get(), -3);
        os::ring(line->worker_end.get());
        CHECK(os::take_number(line->master_end.get()).number == -3);
        const os::told_number ring = os::take_number(line->master_end.get());
        CHECK((ring.open && !ring.number));
        const os::told_number nothing = os::take_number(line->master_end.get());
        CHECK((nothing.open && !nothing.number));
        line->worker_end.reset();
        CHECK_FALSE(os::take_number(line->master_end.get()).open);
    }
    SUBCASE("shut down instead of closed") {
        REQUIRE(shutdown(line->worker_end.get(), SHUT_RDWR) == 0);
        CHECK_FALSE(os::take_ring(line->master_end.get()));
    }
}

TEST_SUITE_END();

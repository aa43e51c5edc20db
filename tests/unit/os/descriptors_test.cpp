// SPDX-License-Identifier: MIT
#include "os/descriptors.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace os = unicoro::os;

TEST_SUITE_BEGIN("descriptors");

TEST_CASE("a unique_fd closes what it owns, once") {
    auto ends = os::testing::make_pipe();
    const int read_end = ends.read.get();
    {
        os::unique_fd moved(std::move(ends.read));
        CHECK_FALSE(ends.read);
        CHECK(moved.get() == read_end);
    }
    CHECK(fcntl(read_end, F_GETFD) == -1);
    const int write_end = ends.write.release();
    CHECK_FALSE(ends.write);
    CHECK(close(write_end) == 0);
}

TEST_CASE("closed streams get /dev/null, open ones stay") {
    CHECK(os::testing::in_child([] {
              close(STDIN_FILENO);
              close(STDERR_FILENO);
              const int before = fcntl(STDOUT_FILENO, F_GETFL);
              if (os::open_standard_streams()) return 1;
              char byte = 0;
              if (read(STDIN_FILENO, &byte, 1) != 0 || write(STDERR_FILENO, "x", 1) != 1) return 2;
              return fcntl(STDOUT_FILENO, F_GETFL) == before ? 0 : 3;
          }) == 0);
}

TEST_CASE("the limit of descriptors is raised as far as it may be") {
    CHECK(os::testing::in_child([] {
              const rlimit tight{100, 200};
              if (setrlimit(RLIMIT_NOFILE, &tight) != 0 || os::descriptor_limit() != 100) return 1;
              return os::raise_descriptor_limit() == 200 && os::descriptor_limit() == 200 ? 0 : 2;
          }) == 0);
}

TEST_CASE("open descriptors are counted") {
    const std::size_t before = os::open_descriptors();
    const auto pipe = os::testing::make_pipe();
    CHECK(os::open_descriptors() == before + 2);
}

TEST_CASE("make_private reports a closed descriptor") {
    CHECK(os::make_private(-1) == boost::system::error_code(EBADF, boost::system::system_category()));
}

TEST_SUITE_END();

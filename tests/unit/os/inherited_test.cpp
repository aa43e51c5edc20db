// SPDX-License-Identifier: MIT
#include "os/inherited.hpp"

#include "os/lifeline.hpp"
#include "os/socket_address.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace os = unicoro::os;
using os::testing::in_child;
using os::testing::temp_dir;

namespace {

int bound_tcp(bool listening) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    if (listening) REQUIRE(listen(fd, 5) == 0);
    return fd;
}

}  // namespace

TEST_SUITE_BEGIN("inherited");

TEST_CASE("a bound stream socket is adopted and made private") {
    for (const bool listening : {true, false}) {
        CAPTURE(listening);
        const int fd = bound_tcp(listening);
        const auto made = os::adopt_listener(fd, 16);
        REQUIRE(made.has_value());
        CHECK(made->fd() == fd);
        CHECK(made->address() == "127.0.0.1");
        CHECK(made->text() == "http://127.0.0.1:" + std::to_string(made->port()));
        CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        int accepts = 0;
        socklen_t length = sizeof accepts;
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length);
        CHECK(accepts == 1);
    }
}

TEST_CASE("the file of an inherited unix socket is not ours to remove") {
    const temp_dir dir;
    const std::string path = dir.file("systemd.sock");
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const auto address = *os::unix_address(path);
    REQUIRE(bind(fd, address.data(), address.length) == 0);
    const auto made = os::adopt_listener(fd, 16);
    REQUIRE(made.has_value());
    CHECK(made->text() == "unix:" + path);
    made->remove_path();
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("anything else is refused") {
    SUBCASE("closed") {
        const auto made = os::adopt_listener(987, 16);
        REQUIRE(made.has_error());
        CHECK(made.error().message == "cannot listen on fd://987: no such descriptor was passed");
    }
    SUBCASE("not a socket") {
        const auto pipe = os::testing::make_pipe();
        const auto made = os::adopt_listener(pipe.read.get(), 16);
        REQUIRE(made.has_error());
        CHECK(made.error().message.ends_with("not a socket"));
    }
    SUBCASE("not bound") {
        const os::unique_fd fd(socket(AF_INET, SOCK_STREAM, 0));
        const auto made = os::adopt_listener(fd.get(), 16);
        REQUIRE(made.has_error());
        CHECK(made.error().message.ends_with("not bound to an address"));
    }
    SUBCASE("datagrams") {
        const os::unique_fd fd(socket(AF_INET, SOCK_DGRAM, 0));
        const auto made = os::adopt_listener(fd.get(), 16);
        REQUIRE(made.has_error());
        CHECK(made.error().message.ends_with("not a TCP or unix stream socket"));
    }
    SUBCASE("a connected pair") {
        const auto pair = os::make_lifeline();
        CHECK(os::adopt_listener(pair->master_end.get(), 16).has_error());
    }
}

TEST_CASE("systemd's sockets are taken once") {
    CHECK(in_child([] {
              const int first = bound_tcp(true);
              const int second = bound_tcp(true);
              const int spare = fcntl(second, F_DUPFD, 100);
              dup2(fcntl(first, F_DUPFD, 100), 3);
              dup2(spare, 4);
              setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
              setenv("LISTEN_FDS", "2", 1);
              setenv("LISTEN_FDNAMES", "web:admin", 1);
              const auto taken = os::take_systemd_sockets();
              if (taken.size() != 2 || taken[0].name != "web" || taken[1].name != "admin") return 1;
              const auto adopted = os::adopt_listeners(taken, 16);
              if (!adopted || (*adopted)[0].fd() != 3 || (*adopted)[1].fd() != 4) return 2;
              for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
                  if (std::getenv(name) != nullptr) return 3;
              }
              const auto again = os::take_systemd_sockets();
              return again.empty() ? 0 : 4;
          }) == 0);
}

TEST_CASE("systemd's sockets of another process are left alone") {
    CHECK(in_child([] {
              setenv("LISTEN_PID", std::to_string(getppid()).c_str(), 1);
              setenv("LISTEN_FDS", "1", 1);
              const auto taken = os::take_systemd_sockets();
              return taken.empty() ? 0 : 1;
          }) == 0);
}

TEST_CASE("a socket that systemd promised and did not pass is an error") {
    CHECK(in_child([] {
              for (int fd = 3; fd < 10; ++fd) close(fd);
              setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
              setenv("LISTEN_FDS", "1", 1);
              const auto taken = os::adopt_listeners(os::take_systemd_sockets(), 16);
              if (taken) return 1;
              return taken.error().message.find("passed by systemd") == std::string::npos ? 2 : 0;
          }) == 0);
}

TEST_CASE("a socket goes on as it was in the program before") {
    const int fd = bound_tcp(true);
    const auto made = os::resume_listener({fd, {}});
    REQUIRE(made.has_value());
    CHECK(made->fd() == fd);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("the file of a unix socket goes on with it, if it still stands there") {
    const temp_dir dir;
    const std::string path = dir.file("app.sock");
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const auto address = *os::unix_address(path);
    REQUIRE(bind(fd, address.data(), address.length) == 0);
    REQUIRE(listen(fd, 5) == 0);
    const int other = dup(fd);
    {
        const auto made = os::resume_listener({fd, path});
        REQUIRE(made.has_value());
        CHECK(made->has_file());
        CHECK(made->address() == path);
        made->remove_path();
        CHECK(!std::filesystem::exists(path));
    }
    CHECK(os::resume_listener({other, path}).has_error());
}

TEST_SUITE_END();

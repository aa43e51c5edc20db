// SPDX-License-Identifier: MIT
#include "os/listener.hpp"

#include "os/socket_address.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace os = unicoro::os;
using os::testing::temp_dir;

namespace {

int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(fd, level, name, &value, &length);
    return value;
}

bool can_connect(const os::socket_address& address) {
    const os::unique_fd client(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(client.get(), address.data(), address.length) == 0;
}

bool can_connect(const os::listener& to) {
    return can_connect(*os::local_address(to.fd()));
}

os::outcome<os::listener> listen_on(const std::string& host, std::uint16_t port = 0) {
    return os::listen_tcp({host, port, 16});
}

mode_t mode_of(const std::string& path) {
    struct stat found{};
    return lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

}  // namespace

TEST_SUITE_BEGIN("listener: tcp");

TEST_CASE("an IPv4 listener has gunicorn's options and text") {
    const auto made = listen_on("127.0.0.1");
    REQUIRE(made.has_value());
    CHECK_FALSE(made->is_unix());
    CHECK(made->address() == "127.0.0.1");
    CHECK(made->port() != 0);
    CHECK(made->text() == "http://127.0.0.1:" + std::to_string(made->port()));
    CHECK(option(made->fd(), SOL_SOCKET, SO_REUSEADDR) == 1);
    CHECK(option(made->fd(), SOL_SOCKET, SO_ACCEPTCONN) == 1);
    CHECK((fcntl(made->fd(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(made->fd(), F_GETFL) & O_NONBLOCK) != 0);

    const os::unique_fd client(socket(AF_INET, SOCK_STREAM, 0));
    const auto address = *os::local_address(made->fd());
    REQUIRE(connect(client.get(), address.data(), address.length) == 0);
    const os::unique_fd accepted(accept(made->fd(), nullptr, nullptr));
    CHECK(option(accepted.get(), IPPROTO_TCP, TCP_NODELAY) == 1);
}

TEST_CASE("hosts") {
    SUBCASE("empty is every IPv4 address") {
        const auto made = listen_on("");
        REQUIRE(made.has_value());
        CHECK(made->text() == "http://0.0.0.0:" + std::to_string(made->port()));
    }
    SUBCASE("a name gives IPv4 first") {
        const auto made = listen_on("localhost");
        REQUIRE(made.has_value());
        CHECK(made->address() == "127.0.0.1");
    }
    SUBCASE("IPv6") {
        const auto made = listen_on("::1");
        if (!made && made.error().code.value() == EADDRNOTAVAIL) return;  // no IPv6 here
        REQUIRE(made.has_value());
        CHECK(made->address() == "::1");
        CHECK(made->text() == "http://[::1]:" + std::to_string(made->port()));
    }
}

TEST_CASE("whether IPv6 takes IPv4 is the kernel's choice unless somebody says") {
    for (const auto asked : {std::optional<bool>(), std::optional(true), std::optional(false)}) {
        const auto made = os::listen_tcp({"::", 0, 16, false, asked});
        if (!made && made.error().code.value() == EAFNOSUPPORT) return;  // no IPv6 here
        REQUIRE(made.has_value());
        const bool only = asked.value_or(os::ipv6_only_by_default());
        CHECK(made->ipv6_only() == only);
        CHECK(option(made->fd(), IPPROTO_IPV6, IPV6_V6ONLY) == (only ? 1 : 0));
    }
}

TEST_CASE("accept(2) does not wait, also when somebody has made the socket blocking") {
    const temp_dir dir;
    const auto tcp = listen_on("127.0.0.1");
    const auto local = os::listen_unix({dir.file("app.sock"), 16, 0, {}, {}});
    REQUIRE(tcp.has_value());
    REQUIRE(local.has_value());
    for (const os::listener* each : {&*tcp, &*local}) {
        REQUIRE(fcntl(each->fd(), F_SETFL, 0) == 0);
        CHECK(os::testing::in_own_child([each] {
                  alarm(5);
                  return accept(each->fd(), nullptr, nullptr) < 0 && errno == EAGAIN ? 0 : 1;
              }) == 0);
        each->restore_flags();
        CHECK((fcntl(each->fd(), F_GETFL) & O_NONBLOCK) != 0);
    }
}

TEST_CASE("errors name the address and carry errno") {
    SUBCASE("in use") {
        const auto first = listen_on("127.0.0.1");
        REQUIRE(first.has_value());
        const auto second = listen_on("127.0.0.1", first->port());
        REQUIRE(second.has_error());
        CHECK(second.error().code == os::system_error(EADDRINUSE));
        CHECK(
            second.error().message ==
            "cannot listen on 127.0.0.1:" + std::to_string(first->port()) + ": Address already in use"
        );
    }
    SUBCASE("not an address of this machine") {
        const auto made = listen_on("192.0.2.1", 8000);
        REQUIRE(made.has_error());
        CHECK(
            made.error().message ==
            "cannot listen on 192.0.2.1:8000: Cannot assign requested address. No interface of "
            "this machine has that address; 0.0.0.0 stands for all of them"
        );
    }
    SUBCASE("an unknown host") {
        const auto made = listen_on("no-such-host.invalid", 80);
        REQUIRE(made.has_error());
        CHECK(made.error().message.starts_with(
            "cannot listen on no-such-host.invalid:80: the host is not known"
        ));
    }
}

TEST_CASE("servers that share a port each get a part, and another one cannot join them") {
    const auto first = os::listen_tcp({"127.0.0.1", 0, 200, true});
    REQUIRE(first.has_value());
    CHECK(first->shares_port());
    const auto second = os::listen_tcp({"127.0.0.1", first->port(), 200, true});
    REQUIRE(second.has_value());
    const auto other = listen_on("127.0.0.1", first->port());
    REQUIRE(other.has_error());
    CHECK(other.error().code == os::system_error(EADDRINUSE));
    const auto waiting = [](const os::listener& at) {
        pollfd watched{at.fd(), POLLIN, 0};
        return poll(&watched, 1, 0) == 1;
    };
    for (int count = 0; count < 100; ++count) REQUIRE(can_connect(*first));
    CHECK(waiting(*first));
    CHECK(waiting(*second));
}

TEST_CASE("how many connections wait") {
    const auto made = listen_on("127.0.0.1");
    REQUIRE(made.has_value());
    CHECK(made->waiting() == 0);
    for (int count = 0; count < 3; ++count) REQUIRE(can_connect(*made));
    CHECK(made->waiting() == 3);
}

TEST_CASE("a port that is not shared is noticed to be in use") {
    const auto other = listen_on("127.0.0.1");
    REQUIRE(other.has_value());
    CHECK_FALSE(other->shares_port());
    const auto sharing = os::listen_tcp({"127.0.0.1", other->port(), 16, true});
    REQUIRE(sharing.has_error());
    CHECK(sharing.error().code == os::system_error(EADDRINUSE));
}

TEST_CASE("copies share the socket") {
    std::optional<os::listener> copy;
    {
        const auto made = listen_on("127.0.0.1");
        REQUIRE(made.has_value());
        copy = *made;
    }
    CHECK(can_connect(*copy));
    CHECK_FALSE(copy->set_backlog(5));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("listener: unix");

TEST_CASE("a unix listener is bound under its umask and removes its own file only") {
    const temp_dir dir;
    const std::string path = dir.file("app.sock");
    const auto made = os::listen_unix({path, 16, 0027, {}, {}});
    REQUIRE(made.has_value());
    CHECK(made->is_unix());
    CHECK(made->text() == "unix:" + path);
    CHECK(made->port() == 0);
    CHECK(mode_of(path) == 0750);
    CHECK(can_connect(*made));
    CHECK_FALSE(made->set_path_rights({}));
    CHECK(mode_of(path) == 0777);

    SUBCASE("ours") {
        made->remove_path();
        CHECK_FALSE(std::filesystem::exists(path));
    }
    SUBCASE("replaced by somebody else's") {
        std::filesystem::remove(path);
        const auto other = os::listen_unix({path, 16, 0, {}, {}});
        REQUIRE(other.has_value());
        made->remove_path();
        CHECK(std::filesystem::exists(path));
    }
}

TEST_CASE("what stands at the path decides") {
    const temp_dir dir;
    const std::string path = dir.file("app.sock");
    SUBCASE("a stale socket is replaced") {
        {
            REQUIRE(os::listen_unix({path, 16, 0, {}, {}}).has_value());
        }
        REQUIRE(std::filesystem::is_socket(path));
        const auto made = os::listen_unix({path, 16, 0, {}, {}});
        REQUIRE(made.has_value());
        CHECK(can_connect(*made));
    }
    SUBCASE("a live socket stays") {
        const auto first = os::listen_unix({path, 16, 0, {}, {}});
        REQUIRE(first.has_value());
        const auto second = os::listen_unix({path, 16, 0, {}, {}});
        REQUIRE(second.has_error());
        CHECK(second.error().code == os::system_error(EADDRINUSE));
        CHECK(
            second.error().message ==
            "cannot listen on unix:" + path + ": the socket is in use by another process"
        );
        CHECK(can_connect(*first));
    }
    SUBCASE("a live socket with a full backlog stays") {
        const auto first = os::listen_unix({path, 0, 0, {}, {}});
        REQUIRE(first.has_value());
        CHECK(can_connect(*first));
        CHECK(os::listen_unix({path, 16, 0, {}, {}}).has_error());
        CHECK(std::filesystem::is_socket(path));
    }
    SUBCASE("another file stays") {
        std::ofstream(path) << "precious";
        const auto made = os::listen_unix({path, 16, 0, {}, {}});
        REQUIRE(made.has_error());
        CHECK(made.error().message.find("is not a socket") != std::string::npos);
        CHECK(os::testing::content_of(path) == "precious");
    }
    SUBCASE("no directory") {
        const auto made = os::listen_unix({dir.file("none/app.sock"), 16, 0, {}, {}});
        REQUIRE(made.has_error());
        CHECK(made.error().message.ends_with("choose another path"));
    }
    SUBCASE("too long") {
        const auto made = os::listen_unix({dir.file(std::string(120, 'x')), 16, 0, {}, {}});
        REQUIRE(made.has_error());
        CHECK(made.error().code == os::system_error(ENAMETOOLONG));
    }
}

TEST_CASE("the file gets its owner" * doctest::skip(geteuid() != 0)) {
    const temp_dir dir;
    const std::string path = dir.file("app.sock");
    const auto made = os::listen_unix({path, 16, 0077, uid_t{54321}, gid_t{54322}});
    REQUIRE(made.has_value());
    struct stat found{};
    REQUIRE(lstat(path.c_str(), &found) == 0);
    CHECK(found.st_uid == 54321);
    CHECK(found.st_gid == 54322);
}

TEST_SUITE_END();

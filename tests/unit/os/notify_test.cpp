// SPDX-License-Identifier: MIT
#include "os/notify.hpp"

#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace os = unicoro::os;

namespace {

// A manager that listens on `address` ('@' first for an abstract one).
os::unique_fd manager_at(const std::string& address) {
    os::unique_fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.data(), address.size());
    auto length = offsetof(sockaddr_un, sun_path) + address.size();
    if (address[0] == '@') {
        at.sun_path[0] = '\0';
    } else {
        ++length;
    }
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(length)) == 0);
    return fd;
}

std::string received(const os::unique_fd& manager) {
    std::array<char, 256> text{};
    const auto got = recv(manager.get(), text.data(), text.size(), 0);
    return got < 0 ? "(nothing)" : std::string(text.data(), static_cast<std::size_t>(got));
}

}  // namespace

TEST_SUITE_BEGIN("notify");

TEST_CASE("datagrams reach the manager and the variables are gone") {
    const os::testing::temp_dir dir;
    const std::string abstract = "@unicoro-test-" + std::to_string(getpid());
    for (const std::string& address : {dir.file("notify"), abstract}) {
        CAPTURE(address);
        const auto manager = manager_at(address);
        setenv("NOTIFY_SOCKET", address.c_str(), 1);
        setenv("WATCHDOG_USEC", "2000000", 1);
        setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
        const auto notifier = os::service_notifier::from_environment();
        CHECK(notifier.active());
        CHECK(notifier.watchdog() == std::chrono::seconds(2));
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
            CHECK(std::getenv(name) == nullptr);
        }
        CHECK_FALSE(notifier.send("READY=1\nSTATUS=up\n"));
        CHECK(received(manager) == "READY=1\nSTATUS=up\n");
    }
}

TEST_CASE("without a manager nothing is sent and nothing fails") {
    unsetenv("NOTIFY_SOCKET");
    const auto notifier = os::service_notifier::from_environment();
    CHECK_FALSE(notifier.active());
    CHECK_FALSE(notifier.watchdog());
    CHECK_FALSE(notifier.send("READY=1"));
}

TEST_CASE("a watchdog for another process is not ours") {
    setenv("WATCHDOG_USEC", "2000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    CHECK_FALSE(os::service_notifier::from_environment().watchdog());
}

TEST_CASE("a manager that is gone is an error") {
    const os::testing::temp_dir dir;
    setenv("NOTIFY_SOCKET", dir.file("gone").c_str(), 1);
    CHECK(os::service_notifier::from_environment().send("READY=1") == os::system_error(ENOENT));
    setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
    CHECK(os::service_notifier::from_environment().send("READY=1") == os::system_error(ENAMETOOLONG));
}

TEST_SUITE_END();

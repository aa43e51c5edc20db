// SPDX-License-Identifier: MIT
#include "log/log.hpp"
#include "log/message_socket.hpp"
#include "log/open.hpp"
#include "log/syslog_address.hpp"
#include "log/syslog_message.hpp"
#include "log/syslog_output.hpp"

#include "files.hpp"
#include "support/doctest.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace log = unicoro::log;
using namespace std::chrono_literals;

namespace {

/// A daemon's socket.
class listener {
  public:
    listener(const std::string& path, int type) : fd_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        std::memcpy(local.sun_path, path.data(), path.size());
        REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) == 0);
        if (type == SOCK_STREAM) REQUIRE(::listen(fd_, 8) == 0);
    }
    /// UDP, on a port of the kernel's choice.
    listener() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in local{};
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) == 0);
        socklen_t size = sizeof(local);
        REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &size) == 0);
        port_ = ntohs(local.sin_port);
    }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener() { ::close(fd_); }

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] int accept() const { return ::accept(fd_, nullptr, nullptr); }

    /// The next message; "" = none is there.
    [[nodiscard]] std::string take() const { return take_from(fd_); }
    static std::string take_from(int fd) {
        std::array<char, 65536> piece;
        const ssize_t got = ::recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
        return got > 0 ? std::string(piece.data(), static_cast<std::size_t>(got)) : std::string();
    }

  private:
    int fd_;
    int port_ = 0;
};

const auto moment = std::chrono::system_clock::from_time_t(1'793'678'645) + 123'456us;  // 3 November 2026

log::syslog_entry entry(std::string_view text) {
    return {.severity = log::level::warning, .text = text, .when = moment, .pid = 42};
}

log::syslog_origin origin(log::syslog_format format) {
    return {log::syslog_facility::local3, format, "host", "unicoro.a.error", "error"};
}

}  // namespace

TEST_SUITE("syslog") {
    TEST_CASE("addresses") {
        using enum log::message_address::way;
        const auto host = log::parse_syslog_address("udp://logs.example:5514");
        REQUIRE(host);
        CHECK((host->by == udp && host->host == "logs.example" && host->port == 5514));
        const auto six = log::parse_syslog_address(" tcp://[::1] ");
        REQUIRE(six);
        CHECK((six->by == tcp && six->host == "::1" && six->port == 514));
        const auto path = log::parse_syslog_address("unix:///dev/log#stream");
        REQUIRE(path);
        CHECK((path->by == unix_stream && path->path == "/dev/log"));
        CHECK(log::parse_syslog_address("unix:///dev/log")->by == unix_any);
        CHECK(log::parse_syslog_address("journald")->path == "/run/systemd/journal/socket");
        CHECK(log::parse_syslog_address("journald")->is_journal);
        const std::string too_long = "unix:///" + std::string(108, 'x');
        for (const std::string& wrong :
             {std::string(),
              std::string("udp://"),
              std::string("udp://a:0"),
              std::string("udp://a:x"),
              std::string("tcp://[::1"),
              std::string("unix://dev/log"),
              std::string("/dev/log"),
              std::string("journal"),
              too_long}) {
            CAPTURE(wrong);
            CHECK_FALSE(log::parse_syslog_address(wrong));
        }
    }

    TEST_CASE("messages") {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
        using enum log::syslog_format;
        CHECK(
            log::syslog_line(origin(rfc3164), entry("two\nlines"), false) ==
            "<156>Nov  3 04:04:05 host unicoro.a.error[42]: two\nlines"
        );
        CHECK(
            log::syslog_line(origin(rfc5424), entry("two\nlines\x01"), true) ==
            "<156>1 2026-11-03T04:04:05.123456+00:00 host unicoro.a.error 42 error - two#012lines\\x01"
        );
        CHECK(log::syslog_word("app:make app()\n") == "app.make_app()_");
        CHECK(log::syslog_word("") == "-");
    }

    TEST_CASE("the journal's entries") {
        log::syslog_entry one = entry("two\nlines");
        const std::array<std::pair<std::string_view, std::string>, 1> more{{{"HTTP_STATUS", "200"}}};
        one.fields = more;
        const std::string made = log::journal_entry(origin(log::syslog_format::rfc3164), one);
        const std::string size("\x09\0\0\0\0\0\0\0", 8);
        CHECK(
            made.find("PRIORITY=4\nSYSLOG_FACILITY=19\nSYSLOG_IDENTIFIER=unicoro.a.error\nSYSLOG_PID=42\n") ==
            0
        );
        CHECK(made.ends_with("HTTP_STATUS=200\nMESSAGE\n" + size + "two\nlines\n"));
    }

    TEST_CASE("a daemon that comes later, goes, and comes back") {
        const test::temporary_folder folder;
        const std::string path = folder.file("log");
        log::message_socket socket(*log::parse_syslog_address("unix://" + path));
        REQUIRE_FALSE(socket.resolve());
        CHECK_FALSE(socket.send("one"));
        CHECK(errno == ENOENT);
        const listener daemon(path, SOCK_DGRAM);
        // Not every message costs a try.
        CHECK_FALSE(socket.send("two"));
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!socket.send("three") && std::chrono::steady_clock::now() < until) ::usleep(10'000);
        CHECK(daemon.take() == "three");
    }

    TEST_CASE("what finds no room waits, in order, up to a bound, and not in a child") {
        const test::temporary_folder folder;
        const std::string path = folder.file("log");
        const listener daemon(path, SOCK_DGRAM);
        log::message_socket socket(*log::parse_syslog_address("unix://" + path + "#dgram"));
        REQUIRE_FALSE(socket.resolve());
        const std::string text(1000, 'x');
        int sent = 0;
        while (socket.send(std::to_string(sent) + text)) ++sent;
        CHECK(errno == EAGAIN);
        CHECK_FALSE(socket.settled());
        if (const pid_t child = ::fork(); child == 0) {
            ::_exit(socket.settled() ? 0 : 1);
        } else {
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            CHECK(status == 0);
        }
        for (int next = 0; next < sent; ++next) {
            std::string got = daemon.take();
            if (got.empty()) {
                socket.flush();
                got = daemon.take();
            }
            REQUIRE(got == std::to_string(next) + text);
        }
        socket.flush();
        CHECK(socket.settled());
        CHECK(daemon.take().empty());
    }

    TEST_CASE("a stream is each process's own") {
        const test::temporary_folder folder;
        const std::string path = folder.file("log");
        const listener daemon(path, SOCK_STREAM);
        log::message_socket socket(*log::parse_syslog_address("unix://" + path));
        REQUIRE_FALSE(socket.resolve());
        CHECK(socket.send("parent\n"));
        CHECK(socket.is_stream());
        const pid_t child = ::fork();
        if (child == 0) ::_exit(socket.send("child\n") ? 0 : 1);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        const int first = daemon.accept();
        const int second = daemon.accept();
        CHECK(listener::take_from(first) == "parent\n");
        CHECK(listener::take_from(second) == "child\n");
        ::close(first);
        ::close(second);
    }

    TEST_CASE("both logs, and what Python code logs in the server's form") {
        const test::temporary_folder folder;
        const listener daemon;
        log::options chosen;
        chosen.errorlog = folder.file("error.log");
        chosen.syslog = log::syslog_options{
            .address = "udp://127.0.0.1:" + std::to_string(daemon.port()), .program = "unicoro.app:app"
        };
        REQUIRE_FALSE(log::open(chosen));
        log::debug("not wanted");
        CHECK(daemon.take().empty());
        log::error("a failure\nwith more");
        const std::string own = "[" + std::to_string(::getpid()) + "]: ";
        std::string got = daemon.take();
        CHECK(got.starts_with("<11>"));
        CHECK(got.ends_with(" unicoro.app.app.error" + own + "a failure\nwith more"));
        log::write_ready(
            "[2026-11-03 04:04:05 +0000] [7] [WARNING] first\nmore\n[2026-11-03 04:04:05 +0000] [7] [INFO] "
            "second\n"
        );
        got = daemon.take();
        CHECK(got.starts_with("<12>"));
        CHECK(got.ends_with(own + "first\nmore"));
        got = daemon.take();
        CHECK(got.starts_with("<14>"));
        CHECK(got.ends_with(own + "second"));
        log::write_ready("printed, and no message\n");
        CHECK(daemon.take().empty());
        REQUIRE_FALSE(log::open({}));
    }

    TEST_CASE("an address that is none") {
        log::options chosen;
        chosen.syslog = log::syslog_options{.address = "/dev/log", .program = "x"};
        CHECK(log::open(chosen).value_or("").starts_with("syslog_addr: '/dev/log' must be udp://"));
    }
}

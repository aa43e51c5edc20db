// SPDX-License-Identifier: MIT
#include "log/line_file.hpp"
#include "log/log.hpp"
#include "log/open.hpp"

#include "files.hpp"
#include "support/doctest.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>
#include <string>
#include <vector>

using unicoro::log::line_file;
namespace log = unicoro::log;

namespace {

struct ends {
    int read = -1;
    int write = -1;

    ends(const ends&) = delete;
    ends& operator=(const ends&) = delete;
    ~ends() {
        ::close(read);
        ::close(write);
    }

    static ends pipe() {
        std::array<int, 2> made{};
        REQUIRE(::pipe2(made.data(), O_CLOEXEC) == 0);
        return ends(made);
    }
    static ends socket() {
        std::array<int, 2> made{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made.data()) == 0);
        return ends(made);
    }

    /// Reads what is there, and what `more` brings, until there is nothing.
    template <class More>
    std::string drain(More more) const {
        ::fcntl(read, F_SETFL, O_NONBLOCK);
        std::string text;
        std::array<char, 65536> piece;
        for (;;) {
            const ssize_t got = ::read(read, piece.data(), piece.size());
            if (got > 0) {
                text.append(piece.data(), static_cast<std::size_t>(got));
                more();
                continue;
            }
            return text;
        }
    }

  private:
    explicit ends(const std::array<int, 2>& made) : read(made[0]), write(made[1]) {}
};

std::string numbered(int number, std::size_t size = 100) {
    std::string line = std::to_string(number) + ' ';
    line.resize(size, 'x');
    return line + '\n';
}

/// Writes numbered lines until some are lost; returns how many got through.
int fill(line_file& file) {
    int written = 0;
    while (file.write_line(numbered(written))) ++written;
    return written;
}

bool all_in_order(const std::string& text, int count) {
    std::istringstream in(text);
    std::string line;
    for (int number = 0; number < count; ++number) {
        if (!std::getline(in, line) || line + '\n' != numbered(number)) return false;
    }
    return !std::getline(in, line);
}

}  // namespace

TEST_SUITE("pipe_writer") {
    TEST_CASE("nobody reads: never waits, keeps a bounded part in order, counts the rest") {
        bool of_sockets = false;
        SUBCASE("a pipe") {}
        SUBCASE("a socket, as of the journal") {
            of_sockets = true;
        }
        const ends target = of_sockets ? ends::socket() : ends::pipe();
        const int flags = ::fcntl(target.write, F_GETFL);
        line_file file(target.write);
        errno = 0;
        const int written = fill(file);
        CHECK(errno == 0);
        CHECK(written > 2000);
        CHECK(written < 10000);
        CHECK_FALSE(file.write_line(numbered(0)));
        CHECK_FALSE(file.settled());
        CHECK(::fcntl(target.write, F_GETFL) == flags);

        const std::string text = target.drain([&file] { file.flush(); });
        CHECK(all_in_order(text, written));
        CHECK(file.settled());
        const auto loss = file.take_loss();
        CHECK(loss.lines == 2);
        CHECK(loss.error == EAGAIN);
        CHECK(file.write_line(numbered(0)));
        CHECK(target.drain([] {}) == numbered(0));
    }

    TEST_CASE("lines longer than the pipe come whole") {
        const ends target = ends::pipe();
        line_file file(target.write);
        const std::string all = numbered(0, 100'000) + numbered(1) + numbered(2, 100'000);
        CHECK(file.write_line(numbered(0, 100'000)));
        CHECK(file.write_line(numbered(1)));
        CHECK(file.write_line(numbered(2, 100'000)));
        CHECK(target.drain([&file] { file.flush(); }) == all);
    }

    TEST_CASE("a line that is lost in its middle does not swallow the next") {
        const ends target = ends::pipe();
        line_file file(target.write);
        CHECK_FALSE(file.write_line(numbered(0, 1'000'000)));
        CHECK(file.write_line(numbered(1)));
        const std::string text = target.drain([&file] { file.flush(); });
        CHECK(text.ends_with("x\n" + numbered(1)));
    }

    TEST_CASE("a reader that is gone is no reason to wait either") {
        std::array<int, 2> made{};
        REQUIRE(::pipe2(made.data(), O_CLOEXEC) == 0);
        auto* const handler = std::signal(SIGPIPE, SIG_IGN);
        line_file file(made[1]);
        fill(file);
        ::close(made[0]);
        CHECK_FALSE(file.write_line("one\n"));
        CHECK(file.settled());
        CHECK(file.take_loss().error == EPIPE);
        ::close(made[1]);
        std::signal(SIGPIPE, handler);
    }

    TEST_CASE("what is kept is written once, by the process that kept it") {
        const ends target = ends::pipe();
        line_file file(target.write);
        const int written = fill(file);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            const bool nothing = !file.flush() && file.settled();
            ::_exit(nothing && file.write_line("child\n") ? 0 : 1);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        std::string text = target.drain([&file] { file.flush(); });
        // There may have been room for it.
        if (const auto at = text.find("child\n"); at != std::string::npos) text.erase(at, 6);
        CHECK(all_in_order(text, written));
    }

    TEST_CASE("a child writes to what was given, whatever its other descriptors have become") {
        const ends target = ends::pipe();
        const ends other = ends::pipe();
        line_file file(target.write);
        const int own = file.own_descriptor();
        REQUIRE(own >= 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            const bool mistaken = ::dup2(other.write, own) < 0;
            ::_exit(!mistaken && file.write_line("child\n") && file.settled() ? 0 : 1);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        CHECK(target.drain([] {}) == "child\n");
        CHECK(other.drain([] {}).empty());
        file.follow();
        CHECK(file.own_descriptor() == own);
        CHECK(file.write_line("parent\n"));
        CHECK(target.drain([] {}) == "parent\n");
    }

    TEST_CASE("the logs say what was lost, without being written to") {
        const ends target = ends::pipe();
        const int before = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        ::dup2(target.write, STDERR_FILENO);
        log::follow_streams();
        for (int number = 0; number < 10'000; ++number) log::info("line {}", number);
        const std::string text = target.drain([] { log::flush_waiting(); });
        ::dup2(before, STDERR_FILENO);
        ::close(before);
        log::follow_streams();
        CHECK(text.find("line 0\n") != std::string::npos);
        CHECK(text.find("line 9999\n") == std::string::npos);
        const auto note = text.find(" lines of the error log were lost: nobody reads the pipe\n");
        INFO(text.substr(text.size() - std::min<std::size_t>(text.size(), 500)));
        REQUIRE(note != std::string::npos);
        CHECK(text.find('\n', note) == text.size() - 1);
    }
}

// SPDX-License-Identifier: MIT
#include "log/line_file.hpp"

#include "files.hpp"
#include "support/doctest.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <string>

using test::temporary_folder;
using unicoro::log::line_file;

TEST_SUITE("line_file") {
    TEST_CASE("a missing directory is named") {
        const temporary_folder folder;
        line_file file(STDERR_FILENO);
        const auto failed = file.open(folder.file("nowhere/error.log"), {});
        REQUIRE(failed.has_value());
        CHECK(
            failed->find("the directory '" + folder.file("nowhere") + "' does not exist") != std::string::npos
        );
        CHECK(file.descriptor() == STDERR_FILENO);
    }

    TEST_CASE("a directory in the place of the file is an error") {
        const temporary_folder folder;
        line_file file(STDERR_FILENO);
        const auto failed = file.open(folder.file("."), {});
        REQUIRE(failed.has_value());
        CHECK(failed->find("Is a directory") != std::string::npos);
    }

    TEST_CASE("appends to what is there") {
        const temporary_folder folder;
        const std::string path = folder.file("a.log");
        for (const char* line : {"one\n", "two\n"}) {
            line_file file(STDERR_FILENO);
            REQUIRE_FALSE(file.open(path, {}).has_value());
            CHECK(file.write_line(line));
        }
        CHECK(test::read_all(path) == "one\ntwo\n");
    }

    TEST_CASE("reopen follows a rename and keeps the descriptor") {
        const temporary_folder folder;
        const std::string path = folder.file("a.log");
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open(path, {}).has_value());
        const int before = file.descriptor();
        CHECK(file.write_line("old\n"));
        std::filesystem::rename(path, folder.file("a.log.1"));
        CHECK(file.write_line("still old\n"));
        REQUIRE_FALSE(file.reopen().has_value());
        CHECK(file.write_line("new\n"));
        CHECK(file.descriptor() == before);
        CHECK((::fcntl(before, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(test::read_all(folder.file("a.log.1")) == "old\nstill old\n");
        CHECK(test::read_all(path) == "new\n");
    }

    TEST_CASE("a failed reopen keeps the old file") {
        const temporary_folder folder;
        std::filesystem::create_directory(folder.file("sub"));
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open(folder.file("sub/a.log"), {}).has_value());
        std::filesystem::rename(folder.file("sub"), folder.file("moved"));
        CHECK(file.reopen().has_value());
        CHECK(file.write_line("kept\n"));
        CHECK(test::read_all(folder.file("moved/a.log")) == "kept\n");
    }

    TEST_CASE("a full disk loses lines, counts them, and nothing else") {
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open("/dev/full", {}).has_value());
        errno = 0;
        CHECK_FALSE(file.write_line("a\n"));
        CHECK_FALSE(file.write_line("b\n"));
        CHECK(errno == 0);
        const auto loss = file.take_loss();
        CHECK(loss.lines == 2);
        CHECK(loss.error == ENOSPC);
        CHECK(file.take_loss().lines == 0);
    }

    TEST_CASE("a line cut off by the disk does not swallow the next") {
        const temporary_folder folder;
        const std::string path = folder.file("a.log");
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open(path, {}).has_value());

        rlimit before{};
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
        auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
        rlimit tight = before;
        tight.rlim_cur = 4;
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
        const bool written = file.write_line("too long\n");
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
        std::signal(SIGXFSZ, handler);

        CHECK_FALSE(written);
        CHECK(file.write_line("next\n"));
        CHECK(test::read_all(path) == "too \nnext\n");
    }

    TEST_CASE("a pipe nobody reads loses lines instead of blocking for ever") {
        int ends[2];
        REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
        line_file file(ends[1]);
        const std::string line(4095, 'x');
        while (file.write_line(line + '\n')) {
        }
        CHECK(file.take_loss().error == EAGAIN);
        ::close(ends[0]);
        ::close(ends[1]);
    }

    TEST_CASE("the owner is given the file") {
        if (::geteuid() != 0) {
            MESSAGE("needs root to give a file away");
            return;
        }
        const temporary_folder folder;
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open(folder.file("a.log"), {65534, 65533}).has_value());
        struct stat found{};
        REQUIRE(::stat(folder.file("a.log").c_str(), &found) == 0);
        CHECK(found.st_uid == 65534);
        CHECK(found.st_gid == 65533);
    }

    TEST_CASE("a file that was there keeps its owner") {
        if (::geteuid() != 0) {
            MESSAGE("needs root to give a file away");
            return;
        }
        const temporary_folder folder;
        const std::string path = folder.file("a.log");
        for (const unicoro::log::file_owner& owner :
             {unicoro::log::file_owner{}, unicoro::log::file_owner{65534, 65533}}) {
            line_file file(STDERR_FILENO);
            REQUIRE_FALSE(file.open(path, owner).has_value());
        }
        struct stat found{};
        REQUIRE(::stat(path.c_str(), &found) == 0);
        CHECK(found.st_uid == 0);
    }

    TEST_CASE("a reopen does not wait for the reader of a pipe") {
        const temporary_folder folder;
        const std::string path = folder.file("a.log");
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open(path, {}).has_value());
        std::filesystem::rename(path, folder.file("a.log.1"));
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        const auto failed = file.reopen();
        REQUIRE(failed.has_value());
        CHECK(failed->find("it is a pipe that nobody reads") != std::string::npos);
        CHECK(file.write_line("kept\n"));
        CHECK(test::read_all(folder.file("a.log.1")) == "kept\n");

        const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        CHECK_FALSE(file.reopen().has_value());
        CHECK(file.write_line("piped\n"));
        std::array<char, 16> text{};
        CHECK(::read(reader, text.data(), text.size()) == 6);
        CHECK((::fcntl(file.descriptor(), F_GETFL) & O_NONBLOCK) == 0);
        ::close(reader);
    }

    TEST_CASE("lines of two processes do not mix") {
        constexpr int lines_each = 20'000;
        const temporary_folder folder;
        const std::string path = folder.file("a.log");
        line_file file(STDERR_FILENO);
        REQUIRE_FALSE(file.open(path, {}).has_value());

        std::array<pid_t, 2> children{};
        for (std::size_t who = 0; who < children.size(); ++who) {
            children[who] = ::fork();
            REQUIRE(children[who] >= 0);
            if (children[who] == 0) {
                const std::string line(50 + who * 200, static_cast<char>('a' + who));
                bool all = true;
                for (int i = 0; i < lines_each; ++i) all = file.write_line(line + '\n') && all;
                ::_exit(all ? 0 : 1);
            }
        }
        for (const pid_t child : children) {
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            CHECK(status == 0);
        }
        std::map<std::string, int> seen;
        for (const std::string& line : test::read_lines(path)) ++seen[line];
        REQUIRE(seen.size() == 2);
        CHECK(seen[std::string(50, 'a')] == lines_each);
        CHECK(seen[std::string(250, 'b')] == lines_each);
    }
}

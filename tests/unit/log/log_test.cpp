// SPDX-License-Identifier: MIT
#include "log/log.hpp"

#include "files.hpp"
#include "log/access.hpp"
#include "log/open.hpp"
#include "support/doctest.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <regex>
#include <string>

namespace unicoro {

using test::temporary_folder;

namespace {

/// The logs are the process's own: each test leaves them as they were at the start.
struct default_logs {
    default_logs() = default;
    ~default_logs() { (void)log::open({}); }
    default_logs(const default_logs&) = delete;
    default_logs& operator=(const default_logs&) = delete;
};

/// Runs `body` in a child, which may redirect its streams; true when it returned 0.
template <class Body>
bool in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

log::options to_file(const std::string& path) {
    log::options chosen;
    chosen.errorlog = path;
    return chosen;
}

bool opened(const log::options& chosen) {
    const auto failed = log::open(chosen);
    if (failed) MESSAGE(*failed);
    return !failed;
}

}  // namespace

TEST_SUITE("log") {
    TEST_CASE("lines have gunicorn's form") {
        const temporary_folder folder;
        const default_logs restore;
        const std::string path = folder.file("error.log");
        log::options chosen = to_file(path);
        chosen.loglevel = log::level::debug;
        REQUIRE(opened(chosen));
        log::debug("one {}", 1);
        log::info("two");
        log::warning("three");
        log::error("four");
        log::critical("five");
        const auto lines = test::read_lines(path);
        const std::array<const char*, 5> expected{
            "\\[DEBUG\\] one 1",
            "\\[INFO\\] two",
            "\\[WARNING\\] three",
            "\\[ERROR\\] four",
            "\\[CRITICAL\\] five"
        };
        REQUIRE(lines.size() == expected.size());
        for (std::size_t at = 0; at < lines.size(); ++at) {
            CAPTURE(lines[at]);
            const std::regex form(
                "\\[\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2} [+-]\\d{4}\\] \\[" +
                std::to_string(::getpid()) + "\\] " + expected[at]
            );
            CHECK(std::regex_match(lines[at], form));
        }
    }

    TEST_CASE("the level decides") {
        const temporary_folder folder;
        const default_logs restore;
        log::options chosen = to_file(folder.file("error.log"));
        chosen.loglevel = log::level::error;
        REQUIRE(opened(chosen));
        CHECK_FALSE(log::enabled(log::level::warning));
        CHECK(log::enabled(log::level::error));
        CHECK(log::enabled(log::level::critical));
        log::warning("not written");
        CHECK(test::read_all(folder.file("error.log")).empty());
    }

    TEST_CASE("a traceback is one entry; other control bytes are escaped") {
        const temporary_folder folder;
        const default_logs restore;
        REQUIRE(opened(to_file(folder.file("error.log"))));
        log::error("Traceback:\n  File \"x\"\n\tboom\x1b[1m\n");
        const std::string text = test::read_all(folder.file("error.log"));
        CHECK(text.ends_with("[ERROR] Traceback:\n  File \"x\"\n\tboom\\x1b[1m\n"));
    }

    TEST_CASE("the pid is that of the process after a fork") {
        const temporary_folder folder;
        const default_logs restore;
        REQUIRE(opened(to_file(folder.file("error.log"))));
        log::info("parent");
        const pid_t child = ::fork();
        if (child == 0) {
            log::info("child");
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        const auto lines = test::read_lines(folder.file("error.log"));
        REQUIRE(lines.size() == 2);
        CHECK(lines[0].find("[" + std::to_string(::getpid()) + "]") != std::string::npos);
        CHECK(lines[1].find("[" + std::to_string(child) + "]") != std::string::npos);
    }

    TEST_CASE("a failed open names the setting and changes nothing") {
        const temporary_folder folder;
        const default_logs restore;
        REQUIRE(opened(to_file(folder.file("error.log"))));

        const auto error_failed = log::open(to_file(folder.file("no/error.log")));
        REQUIRE(error_failed.has_value());
        CHECK(error_failed->starts_with("errorlog: "));
        CHECK(error_failed->find("does not exist") != std::string::npos);

        log::options access;
        access.accesslog = folder.file("no/access.log");
        const auto access_failed = log::open(access);
        REQUIRE(access_failed.has_value());
        CHECK(access_failed->starts_with("accesslog: "));

        access.accesslog = folder.file("access.log");
        access.access_log_format = "%(nope";
        const auto format_failed = log::open(access);
        REQUIRE(format_failed.has_value());
        CHECK(format_failed->starts_with("access_log_format: the atom has no closing ')'"));

        log::info("still here");
        CHECK(test::read_lines(folder.file("error.log")).size() == 1);
    }

    TEST_CASE("a relay gets records first, also without an access log") {
        const temporary_folder folder;
        const default_logs restore;
        static int taken = 0;
        static bool takes = true;
        static std::string shown;
        log::options chosen = to_file(folder.file("error.log"));
        chosen.access_log_format = "%(m)s %({x}e)s";
        REQUIRE(opened(chosen));
        CHECK(log::access_environ_names().empty());
        log::relay_access([](const log::access_record&, std::string_view line) {
            ++taken;
            shown = line;
            return takes;
        });
        CHECK(log::access_enabled());
        CHECK(log::access_uses_request_fields());
        CHECK(log::access_uses_response_fields());
        CHECK(log::access_environ_names().size() == 1);
        log::access_record record;
        record.method = "GET";
        log::write_access(record);
        CHECK(taken == 1);
        CHECK(shown == "GET -");
        CHECK(log::access_descriptor() == -1);
        log::write_ready_access("nowhere\n");

        chosen.accesslog = folder.file("access.log");
        REQUIRE(opened(chosen));
        log::write_access(record);
        takes = false;
        log::write_access(record);
        CHECK(taken == 3);
        log::write_ready_access("by hand\nin two lines\n");
        log::relay_access(nullptr);
        log::write_access(record);
        CHECK(taken == 3);
        CHECK(log::access_descriptor() > 2);
        CHECK(
            test::read_lines(folder.file("access.log")) ==
            std::vector<std::string>{"GET -", "by hand", "in two lines", "GET -"}
        );
        log::write_ready("as it is\x01\n");
        CHECK(test::read_lines(folder.file("error.log")) == std::vector<std::string>{"as it is\x01"});
    }

    TEST_CASE("access lines go to their file, and say when they are wanted") {
        const temporary_folder folder;
        const default_logs restore;
        log::options chosen = to_file(folder.file("error.log"));
        REQUIRE(opened(chosen));
        CHECK_FALSE(log::access_enabled());
        CHECK_FALSE(log::access_uses_request_fields());
        CHECK(log::access_environ_names().empty());
        log::write_access({});

        chosen.accesslog = folder.file("access.log");
        chosen.access_log_format = "%(m)s %({x}i)s %({y}o)s %({Z}e)s";
        REQUIRE(opened(chosen));
        CHECK(log::access_enabled());
        CHECK(log::access_uses_request_fields());
        CHECK(log::access_uses_response_fields());
        REQUIRE(log::access_environ_names().size() == 1);
        CHECK(log::access_environ_names()[0] == "Z");
        log::access_record record;
        record.method = "GET";
        log::write_access(record);
        log::write_access(record);
        CHECK(test::read_all(folder.file("access.log")) == "GET - - -\nGET - - -\n");
    }

    TEST_CASE("a full access log is said once in the error log") {
        const temporary_folder folder;
        const default_logs restore;
        log::options chosen = to_file(folder.file("error.log"));
        chosen.accesslog = "/dev/full";
        REQUIRE(opened(chosen));
        log::write_access({});
        log::write_access({});
        const auto lines = test::read_lines(folder.file("error.log"));
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].find("access log '/dev/full' loses lines: No space left") != std::string::npos);
    }

    TEST_CASE("a full error log does not throw") {
        const default_logs restore;
        REQUIRE(opened(to_file("/dev/full")));
        log::critical("lost");
        CHECK(log::enabled(log::level::info));
    }

    TEST_CASE("lost error lines are reported when the log works again") {
        const temporary_folder folder;
        const std::string link = folder.file("error.log");
        std::filesystem::create_symlink("/dev/full", link);
        const default_logs restore;
        REQUIRE(opened(to_file(link)));
        log::error("lost");
        log::error("lost");
        std::filesystem::remove(link);
        log::reopen();
        log::info("back");
        const auto lines = test::read_lines(link);
        REQUIRE(lines.size() == 2);
        CHECK(lines[0].find("back") != std::string::npos);
        CHECK(lines[1].find("2 lines of the error log were lost: No space left") != std::string::npos);
    }

    TEST_CASE("reopen follows a rotation of both logs") {
        const temporary_folder folder;
        const default_logs restore;
        log::options chosen = to_file(folder.file("error.log"));
        chosen.accesslog = folder.file("access.log");
        chosen.access_log_format = "%(s)s";
        REQUIRE(opened(chosen));
        const int before = log::descriptor();
        for (const char* name : {"error.log", "access.log"}) {
            std::filesystem::rename(folder.file(name), folder.file(name) + ".1");
        }
        log::reopen();
        CHECK(log::descriptor() == before);
        log::info("new");
        log::write_access({});
        CHECK(test::read_lines(folder.file("error.log")).size() == 1);
        CHECK(test::read_all(folder.file("access.log")) == "0\n");
        CHECK(test::read_all(folder.file("error.log.1")).empty());
    }

    TEST_CASE("a reopen that fails says so in the old file") {
        const temporary_folder folder;
        const default_logs restore;
        std::filesystem::create_directory(folder.file("sub"));
        REQUIRE(opened(to_file(folder.file("sub/error.log"))));
        std::filesystem::rename(folder.file("sub"), folder.file("moved"));
        log::reopen();
        const std::string text = test::read_all(folder.file("moved/error.log"));
        CHECK(text.find("does not exist") != std::string::npos);
        CHECK(text.find("the file opened before stays in use") != std::string::npos);
    }

    TEST_CASE("relative paths do not move with a chdir") {
        const temporary_folder folder;
        const bool fine = in_child([&] {
            if (::chdir(folder.file(".").c_str()) != 0 || log::open(to_file("error.log"))) return 1;
            if (::chdir("/") != 0) return 2;
            log::reopen();
            log::info("here");
            return 0;
        });
        CHECK(fine);
        CHECK(test::read_lines(folder.file("error.log")).size() == 1);
    }

    TEST_CASE("capture_output takes stdout and stderr, again after reopen; access keeps stdout") {
        const temporary_folder folder;
        const bool fine = in_child([&] {
            if (::dup2(::creat(folder.file("stdout").c_str(), 0600), STDOUT_FILENO) < 0) return 1;
            log::options chosen = to_file(folder.file("error.log"));
            chosen.capture_output = true;
            chosen.accesslog = "-";
            chosen.access_log_format = "%(s)s";
            if (log::open(chosen)) return 2;
            if (::write(STDOUT_FILENO, "out\n", 4) != 4) return 3;
            std::filesystem::rename(folder.file("error.log"), folder.file("error.log.1"));
            log::reopen();
            if (::write(STDERR_FILENO, "err\n", 4) != 4) return 4;
            log::write_access({});
            return 0;
        });
        CHECK(fine);
        CHECK(test::read_all(folder.file("error.log.1")) == "out\n");
        CHECK(test::read_all(folder.file("error.log")) == "err\n");
        CHECK(test::read_all(folder.file("stdout")) == "0\n");
    }
}

}  // namespace unicoro

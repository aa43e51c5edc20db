// SPDX-License-Identifier: MIT
#include "os/pidfile.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

namespace os = unicoro::os;
using os::testing::content_of;
using os::testing::in_child;
using os::testing::temp_dir;

namespace {

// A child that holds the pidfile until `release`; `grandchild` stays behind when it is killed.
struct holder {
    pid_t pid = 0;
    pid_t orphan = 0;
};

void wait_readable(int fd) {
    pollfd watched{fd, POLLIN, 0};
    REQUIRE(poll(&watched, 1, 5000) == 1);
}

// Forks a process that makes the pidfile, then forks a child of its own, which inherits everything
// and lives until it is killed.
holder start_holder(const std::string& path) {
    const auto pipe = os::testing::make_pipe();
    const pid_t pid = fork();
    if (pid == 0) {
        const auto file = os::pidfile::create(path);
        if (!file) _exit(1);
        const pid_t orphan = fork();
        if (orphan > 0 && write(pipe.write.get(), &orphan, sizeof orphan) != sizeof orphan) _exit(1);
        for (;;) pause();
    }
    wait_readable(pipe.read.get());
    holder made{pid, 0};
    REQUIRE(read(pipe.read.get(), &made.orphan, sizeof made.orphan) == sizeof made.orphan);
    return made;
}

}  // namespace

TEST_SUITE_BEGIN("pidfile");

TEST_CASE("the file has the pid and goes with its owner") {
    const temp_dir dir;
    const std::string path = dir.file("server.pid");
    {
        const auto file = os::pidfile::create(path);
        REQUIRE(file.has_value());
        CHECK(content_of(path) == std::to_string(getpid()) + "\n");
        struct stat found{};
        REQUIRE(stat(path.c_str(), &found) == 0);
        CHECK((found.st_mode & 0777) == 0644);
    }
    CHECK(std::filesystem::is_empty(std::filesystem::path(path).parent_path()));
}

TEST_CASE("a stale file never blocks") {
    const temp_dir dir;
    const std::string path = dir.file("server.pid");
    for (const char* stale : {"", "garbage", "999999999\n"}) {
        std::ofstream(path) << stale;
        CHECK(os::pidfile::create(path).has_value());
    }
    // A pid that lives and is somebody else (gunicorn issue 3383).
    std::ofstream(path) << getppid() << "\n";
    CHECK(os::pidfile::create(path).has_value());
}

TEST_CASE("a live owner is named, and an orphan of a killed one does not count") {
    const temp_dir dir;
    const std::string path = dir.file("server.pid");
    const holder first = start_holder(path);
    const auto refused = os::pidfile::create(path);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == os::system_error(EEXIST));
    CHECK(
        refused.error().message.find("already running on PID " + std::to_string(first.pid)) !=
        std::string::npos
    );
    CHECK(content_of(path) == std::to_string(first.pid) + "\n");

    REQUIRE(kill(first.pid, SIGKILL) == 0);
    REQUIRE(waitpid(first.pid, nullptr, 0) == first.pid);
    REQUIRE(kill(first.orphan, 0) == 0);
    CHECK(os::pidfile::create(path).has_value());
    kill(first.orphan, SIGKILL);
}

TEST_CASE("a child does not remove the file of its parent") {
    const temp_dir dir;
    const std::string path = dir.file("server.pid");
    std::optional<os::pidfile> file;
    auto made = os::pidfile::create(path);
    REQUIRE(made.has_value());
    file.emplace(std::move(*made));
    CHECK(in_child([&file] {
              file.reset();
              return 0;
          }) == 0);
    // The lock is still held although the child closed its descriptor. Reading the file here would
    // release it (POSIX), so another child does.
    const pid_t owner = getpid();
    CHECK(in_child([&path, owner] {
              if (os::pidfile::create(path)) return 1;
              return content_of(path) == std::to_string(owner) + "\n" ? 0 : 2;
          }) == 0);
}

TEST_CASE("a file that somebody else put there stays") {
    const temp_dir dir;
    const std::string path = dir.file("server.pid");
    {
        const auto file = os::pidfile::create(path);
        REQUIRE(file.has_value());
        std::filesystem::remove(path);
        std::ofstream(path) << "theirs";
    }
    CHECK(content_of(path) == "theirs");
}

TEST_CASE("moving into another path removes the former file") {
    const temp_dir dir;
    auto file = os::pidfile::create(dir.file("one"));
    REQUIRE(file.has_value());
    auto other = os::pidfile::create(dir.file("two"));
    REQUIRE(other.has_value());
    *file = std::move(*other);
    CHECK_FALSE(std::filesystem::exists(dir.file("one")));
    CHECK(std::filesystem::exists(dir.file("two")));
    CHECK(file->path() == dir.file("two"));
}

TEST_CASE("a directory that is missing is named") {
    const temp_dir dir;
    const auto file = os::pidfile::create(dir.file("none/server.pid"));
    REQUIRE(file.has_error());
    CHECK(
        file.error().message ==
        "cannot write pidfile " + dir.file("none/server.pid") + ": No such file or directory"
    );
}

TEST_CASE("what is no regular file stays what it is") {
    const temp_dir dir;
    const std::string path = dir.file("server.pid");
    std::string reason = "it is not a regular file";
    SUBCASE("a symbolic link") {
        std::ofstream(dir.file("other")) << "theirs";
        std::filesystem::create_symlink("other", path);
        reason = "it is a symbolic link; name the file itself";
    }
    SUBCASE("a pipe") {
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    }
    const auto file = os::pidfile::create(path);
    REQUIRE(file.has_error());
    CHECK(file.error().message == "cannot write pidfile " + path + ": " + reason);
    CHECK_FALSE(std::filesystem::is_regular_file(std::filesystem::symlink_status(path)));
}

TEST_CASE("the file is found again where it was made") {
    const temp_dir dir;
    std::filesystem::create_directory(dir.file("run"));
    {
        const auto file = os::pidfile::create(dir.file("run/server.pid"));
        REQUIRE(file.has_value());
        std::filesystem::rename(dir.file("run"), dir.file("moved"));
        CHECK(std::filesystem::exists(dir.file("moved/server.pid")));
    }
    CHECK_FALSE(std::filesystem::exists(dir.file("moved/server.pid")));
}

TEST_CASE("the program after this one goes on with the file, or is told that it is another") {
    const temp_dir dir;
    const std::string path = dir.file("pid");
    CHECK(in_child([&] {
              auto file = os::pidfile::create(path);
              if (!file) return 1;
              auto resumed = os::pidfile::resume(path, os::unique_fd(dup(file->fd())));
              if (!resumed) return 2;
              file->abandon();
              std::filesystem::remove(path);
              return os::pidfile::resume(path, os::unique_fd(dup(resumed->fd()))) ? 3 : 0;
          }) == 0);
}

TEST_SUITE_END();

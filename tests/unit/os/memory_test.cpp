// SPDX-License-Identifier: MIT
#include "os/memory.hpp"
#include "os/memory_file.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace unicoro;
using os::testing::temp_dir;

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

}  // namespace

TEST_SUITE_BEGIN("memory");

TEST_CASE("a process is weighed, and what it shares counts for less") {
    const auto resident = os::resident_memory(getpid());
    const auto proportional = os::proportional_memory(getpid());
    REQUIRE(resident.has_value());
    REQUIRE(proportional.has_value());
    CHECK(*proportional > 0);
    CHECK(*proportional <= *resident);
}

TEST_CASE("a process that is gone has no weight") {
    const pid_t gone = fork();
    if (gone == 0) _exit(0);
    os::testing::end_of(gone);
    CHECK_FALSE(os::resident_memory(gone).has_value());
    CHECK_FALSE(os::proportional_memory(gone).has_value());
}

TEST_CASE("kills for want of memory are counted in the own cgroup") {
    const temp_dir dir;
    const std::filesystem::path root = dir.file("root");
    write(root / "proc/vmstat", "nr_free_pages 12\noom_kill 7\n");
    SUBCASE("where there is one") {
        write(root / "proc/self/cgroup", "4:memory:/old\n0::/system.slice/unicoro.service\n");
        const auto events = root / "sys/fs/cgroup/system.slice/unicoro.service/memory.events";
        write(events, "low 0\noom 1\noom_kill 2\noom_group_kill 0\n");
        const os::oom_counter counter(root);
        CHECK(counter.source() == events.string());
        CHECK(counter.read() == 2);
        write(events, "oom_kill 3\n");
        CHECK(counter.read() == 3);
    }
    SUBCASE("of a container, whose root it is") {
        write(root / "proc/self/cgroup", "0::/\n");
        write(root / "sys/fs/cgroup/memory.events", "oom_kill 4\n");
        CHECK(os::oom_counter(root).read() == 4);
    }
    SUBCASE("or else in the whole machine") {
        write(root / "proc/self/cgroup", "4:memory:/old\n0::/\n");
        const os::oom_counter counter(root);
        CHECK(counter.source() == (root / "proc/vmstat").string());
        CHECK(counter.read() == 7);
    }
    SUBCASE("or nowhere") {
        std::filesystem::remove(root / "proc/vmstat");
        CHECK_FALSE(os::oom_counter(root).read().has_value());
    }
}

TEST_CASE("a file in memory takes seals, and cannot be executed where the kernel has such files") {
    const auto file = os::make_memory_file("test");
    REQUIRE(file.has_value());
    CHECK(fcntl(file->get(), F_GETFD) == FD_CLOEXEC);
    struct stat about{};
    REQUIRE(fstat(file->get(), &about) == 0);
    const os::unique_fd known(memfd_create("test", 0x0008));
    if (known) CHECK((about.st_mode & 0111) == 0);
    CHECK(fcntl(file->get(), F_ADD_SEALS, F_SEAL_SHRINK) == 0);
}

TEST_SUITE_END();

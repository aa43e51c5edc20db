// SPDX-License-Identifier: MIT
#include "base/parent_folder.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fs = std::filesystem;
using unicoro::base::parent_folder;
using unicoro::os::testing::temp_dir;
using last = parent_folder::last_link;

namespace {

// The folder that was found, by its own path.
std::string place(const parent_folder& found) {
    return fs::read_symlink("/proc/self/fd/" + std::to_string(found.fd())).string();
}

std::string found_at(const std::string& path, last at_end = last::follow) {
    const auto found = parent_folder::of(path, at_end);
    if (!found) return "errno " + std::to_string(found.error().error);
    return place(*found) + " " + found->name();
}

bool is_root() {
    if (geteuid() == 0) return true;
    MESSAGE("needs root, who alone looks where a path leads");
    return false;
}

}  // namespace

TEST_SUITE("parent_folder") {
    TEST_CASE("the folder and the name") {
        const temp_dir dir;
        const std::string here = fs::canonical(dir.file(".")).string();
        fs::create_directories(here + "/a/b");
        CHECK(found_at(here + "/a/file") == here + "/a file");
        CHECK(found_at(here + "//a/./file") == here + "/a file");
        CHECK(found_at(here + "/a/b/../file") == here + "/a file");
        CHECK(found_at(here + "/a/b/") == here + "/a/b .");
        CHECK(found_at(here + "/a/b/.") == here + "/a/b .");
        CHECK(found_at("/file") == "/ file");
        const fs::path before = fs::current_path();
        fs::current_path(here);
        CHECK(found_at("file") == here + " file");
        CHECK(found_at("a/file") == here + "/a file");
        fs::current_path(before);
    }

    TEST_CASE("what is no folder") {
        const temp_dir dir;
        std::ofstream(dir.file("file")) << "text";
        CHECK(found_at("") == "errno " + std::to_string(ENOENT));
        CHECK(found_at(dir.file("none/file")) == "errno " + std::to_string(ENOENT));
        CHECK(found_at(dir.file("file/file")) == "errno " + std::to_string(ENOTDIR));
    }

    TEST_CASE("root follows links of root's own") {
        if (!is_root()) return;
        const temp_dir dir;
        const std::string here = fs::canonical(dir.file(".")).string();
        fs::create_directories(here + "/real");
        fs::create_symlink("real", here + "/relative");
        fs::create_symlink(here + "/real", here + "/absolute");
        fs::create_symlink("../real/target", here + "/real/last");
        fs::create_symlink("round", here + "/round");
        CHECK(found_at(here + "/relative/file") == here + "/real file");
        CHECK(found_at(here + "/absolute/../relative/file") == here + "/real file");
        CHECK(found_at(here + "/real/last") == here + "/real target");
        CHECK(found_at(here + "/real/last", last::keep) == here + "/real last");
        CHECK(found_at(here + "/round/file") == "errno " + std::to_string(ELOOP));
        CHECK(parent_folder::of(here + "/real/last", last::follow)->linked());
        CHECK_FALSE(parent_folder::of(here + "/relative/file", last::follow)->linked());
        CHECK_FALSE(parent_folder::of(here + "/relative/file", last::follow)->shared());
    }

    TEST_CASE("links of the kernel lead where a process is") {
        const auto found = parent_folder::of("/proc/self/fd/1", last::follow);
        REQUIRE(found.has_value());
        CHECK(found->name() == "1");
        if (is_root()) CHECK(found->of_kernel());
        CHECK_FALSE(found->shared());
    }

    TEST_CASE("where others can write, links are not followed") {
        if (!is_root()) return;
        const temp_dir dir;
        const std::string shared = fs::canonical(dir.file(".")).string() + "/shared";
        fs::create_directories(shared + "/real/deep");
        fs::create_symlink("real", shared + "/link");
        SUBCASE("of another user") {
            REQUIRE(chown(shared.c_str(), 54321, 0) == 0);
        }
        SUBCASE("for everyone") {
            REQUIRE(chmod(shared.c_str(), 0777) == 0);
        }
        SUBCASE("for everyone, without removing") {
            REQUIRE(chmod(shared.c_str(), 01777) == 0);
        }
        SUBCASE("for a group") {
            REQUIRE(chown(shared.c_str(), 0, 54321) == 0);
            REQUIRE(chmod(shared.c_str(), 0775) == 0);
        }
        CHECK(found_at(shared + "/link/file") == "errno " + std::to_string(ELOOP));
        CHECK(found_at(shared + "/link") == shared + " link");
        CHECK(parent_folder::of(shared + "/file", last::follow)->shared());
        CHECK_FALSE(parent_folder::of(shared + "/file", last::follow)->way_is_shared());
    }

    TEST_CASE("below such a folder everything is theirs, but for root's folders in one like /tmp") {
        if (!is_root()) return;
        const temp_dir dir;
        const std::string shared = fs::canonical(dir.file(".")).string() + "/shared";
        fs::create_directories(shared + "/real/deep");
        fs::create_symlink("deep", shared + "/real/link");
        const auto mode = [&shared](mode_t wanted) { REQUIRE(chmod(shared.c_str(), wanted) == 0); };
        mode(0777);
        CHECK(parent_folder::of(shared + "/real/file", last::follow)->way_is_shared());
        CHECK(found_at(shared + "/real/link/file") == "errno " + std::to_string(ELOOP));
        mode(01777);
        CHECK_FALSE(parent_folder::of(shared + "/real/file", last::follow)->shared());
        CHECK(found_at(shared + "/real/link/file") == shared + "/real/deep file");
    }
}

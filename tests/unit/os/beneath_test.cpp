// SPDX-License-Identifier: MIT
#include "os/beneath.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace fs = std::filesystem;
namespace os = unicoro::os;

namespace {

void put(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

std::string text_beneath(
    const fs::path& folder, const std::string& path, decltype(&os::open_beneath) opened_by = &os::open_beneath
) {
    const os::unique_fd at(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto found = opened_by(at.get(), path);
    if (!found.has_value()) return "";
    std::array<char, 64> text{};
    const ssize_t got = read(found->get(), text.data(), text.size());
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
}

}  // namespace

TEST_SUITE_BEGIN("beneath");

TEST_CASE("files below a folder are found, and nothing else is") {
    const os::testing::temp_dir place;
    const fs::path root = place.file("root");
    put(root / "a/b.txt", "inside");
    put(place.file("secret.txt"), "outside");
    fs::create_symlink("a/b.txt", root / "within");
    fs::create_symlink("../secret.txt", root / "out");
    fs::create_symlink(place.file("secret.txt"), root / "absolute");
    fs::create_symlink("..", root / "a/up");
    fs::create_directory_symlink("..", root / "away");
    CHECK(text_beneath(root, "a/b.txt") == "inside");
    CHECK(text_beneath(root, "within") == "inside");
    CHECK(text_beneath(root, "a/up/a/b.txt") == "inside");
    for (const char* each :
         {"../secret.txt",
          "a/../../secret.txt",
          "out",
          "absolute",
          "away/secret.txt",
          "a/up/../secret.txt",
          "nothing",
          "a/b.txt/c",
          "/etc/hostname"}) {
        CAPTURE(each);
        CHECK(text_beneath(root, each).empty());
    }
}

TEST_CASE("an old kernel follows no link at all") {
    const os::testing::temp_dir place;
    const fs::path root = place.file("root");
    put(root / "a/b.txt", "inside");
    put(place.file("secret.txt"), "outside");
    fs::create_symlink("a/b.txt", root / "within");
    fs::create_symlink("../secret.txt", root / "out");
    fs::create_directory_symlink("a", root / "link");
    CHECK(text_beneath(root, "a/b.txt", &os::walk_beneath) == "inside");
    for (const char* each :
         {"within", "out", "link/b.txt", "../secret.txt", "a/../../secret.txt", "a/b.txt/c", "nothing"}) {
        CAPTURE(each);
        CHECK(text_beneath(root, each, &os::walk_beneath).empty());
    }
}

TEST_SUITE_END();

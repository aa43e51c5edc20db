// SPDX-License-Identifier: MIT
#include "cli/python_finder.hpp"
#include "support/doctest.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace cli = unicoro::cli;
namespace fs = std::filesystem;

namespace {

/// A folder for fake interpreters, gone at the end.
class folder {
  public:
    folder() {
        char name[] = "/tmp/unicoro-finder-test-XXXXXX";
        if (::mkdtemp(name) == nullptr) std::abort();
        path_ = name;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() { fs::remove_all(path_); }

    /// A shell script that can be run.
    std::string script(const std::string& name, const std::string& text) const {
        const std::string path = path_ + "/" + name;
        fs::create_directories(fs::path(path).parent_path());
        std::ofstream(path) << "#!/bin/sh\n" << text << '\n';
        ::chmod(path.c_str(), 0755);
        return path;
    }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// Sets an environment variable and puts it back.
class variable {
  public:
    variable(const char* name, const char* value) : name_(name) {
        const char* const before = std::getenv(name);
        if (before != nullptr) before_ = before;
        set(value);
    }
    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;
    ~variable() { set(before_ ? before_->c_str() : nullptr); }

  private:
    void set(const char* value) const {
        if (value != nullptr) {
            ::setenv(name_, value, 1);
        } else {
            ::unsetenv(name_);
        }
    }
    const char* name_;
    std::optional<std::string> before_;
};

std::string chosen(const cli::python_search& where) {
    const auto found = cli::choose_python(where);
    return found ? found->path : "error: " + found.error().message;
}

std::string chosen(const std::string& setting) {
    return chosen(cli::python_search{setting, {}, {}});
}

bool mentions(const std::string& text, const std::string& part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
    return true;
}

}  // namespace

TEST_SUITE("python finder") {
    TEST_CASE("the setting wins over VIRTUAL_ENV, that over PATH") {
        const folder here;
        const std::string venv = here.script("venv/bin/python", "");
        const std::string other = here.script("other/bin/python3", "");
        const std::string in_path = here.script("path/python3", "");
        const variable path("PATH", (here.path() + "/path").c_str());
        {
            const variable active("VIRTUAL_ENV", (here.path() + "/other").c_str());
            CHECK(chosen(here.path() + "/venv") == venv);
            CHECK(chosen(venv) == venv);
            CHECK(chosen("python3") == in_path);
            CHECK(chosen("") == other);
        }
        const variable none("VIRTUAL_ENV", nullptr);
        CHECK(chosen("") == in_path);
    }

    TEST_CASE("then the environment around the program, then those beside the application") {
        const folder here;
        const variable none("VIRTUAL_ENV", nullptr);
        const std::string in_path = here.script("path/python3", "");
        const variable path("PATH", (here.path() + "/path").c_str());
        const auto environment = [&here](const std::string& name) {
            const std::string python = here.script(name + "/bin/python", "");
            std::ofstream(here.path() + "/" + name + "/pyvenv.cfg") << "home = /usr/bin\n";
            return python;
        };
        const auto site = [&here](const std::string& name) { return here.path() + "/" + name; };
        cli::python_search where{{}, site("bin/unicoro"), {site("site"), site("lib")}};
        here.script("bin/unicoro", "");
        // What is no environment does not count, however it is called.
        here.script("site/venv/bin/python", "");
        CHECK(chosen(where) == in_path);
        const std::string other = environment("lib/venv");
        CHECK(chosen(where) == other);
        const std::string second = environment("site/venv");
        CHECK(chosen(where) == second);
        const std::string first = environment("site/.venv");
        CHECK(chosen(where) == first);
        // Its own path counts, and what that links to, step by step.
        const std::string linked = environment("linked");
        fs::create_symlink(site("linked/bin/unicoro"), site("bin/first"));
        fs::create_symlink("../../bin/unicoro", site("linked/bin/unicoro"));
        where.program = site("bin/first");
        CHECK(chosen(where) == linked);
        const std::string own = environment("own");
        here.script("own/bin/unicoro", "");
        where.program = site("own/bin/unicoro");
        CHECK(chosen(where) == own);
        where.setting = in_path;
        CHECK(chosen(where) == in_path);
    }

    TEST_CASE("an environment whose interpreter is gone is passed over and named") {
        const folder here;
        const variable none("VIRTUAL_ENV", nullptr);
        const std::string in_path = here.script("path/python3", "");
        const variable path("PATH", (here.path() + "/path").c_str());
        fs::create_directories(here.path() + "/.venv/bin");
        std::ofstream(here.path() + "/.venv/pyvenv.cfg") << "home = /gone\n";
        fs::create_symlink("/gone/python3", here.path() + "/.venv/bin/python");
        const auto found = cli::choose_python({{}, {}, {here.path()}});
        REQUIRE(found.has_value());
        CHECK(found->path == in_path);
        REQUIRE(found->notes.size() == 1);
        mentions(found->notes.front(), here.path() + "/.venv has no bin/python that can be run");
    }

    TEST_CASE("a chain of links that has no end") {
        const folder here;
        const variable none("VIRTUAL_ENV", nullptr);
        const variable path("PATH", here.path().c_str());
        fs::create_symlink(here.path() + "/a", here.path() + "/b");
        fs::create_symlink(here.path() + "/b", here.path() + "/a");
        mentions(chosen({{}, here.path() + "/a", {}}), "unicoro is not in a virtual environment");
    }

    TEST_CASE("what cannot be found is named, with the remedy") {
        const folder here;
        const variable none("VIRTUAL_ENV", nullptr);
        const variable path("PATH", here.path().c_str());
        mentions(chosen(""), "no python3 in PATH; name one with --python (an interpreter");
        mentions(chosen(here.path()), "has no bin/python; make it a virtual environment");
        mentions(chosen("nowhere/python"), "'nowhere/python' is neither an interpreter nor");
        const variable gone("VIRTUAL_ENV", "/nonexistent");
        mentions(chosen(""), "VIRTUAL_ENV names '/nonexistent'");
    }
}

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/load.hpp"
#include "support/doctest.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace settings_tests {

namespace fs = std::filesystem;

/// A folder of its own that is gone afterwards.
class temporary_folder {
  public:
    temporary_folder() {
        std::string name = (fs::temp_directory_path() / "unicoro-settings-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    const fs::path& path() const { return path_; }

    void write(const std::string& name, std::string_view text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
    }

  private:
    fs::path path_;
};

/// A start of the command in a folder of its own, with an environment that holds only what is put
/// in.
struct start {
    temporary_folder folder;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    int cpus = 6;

    /// The same start again, the file read anew.
    unicoro::settings::outcome load() const {
        unicoro::settings::load_request request;
        request.arguments = arguments;
        request.environment = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
        };
        request.directory = folder.path();
        request.count_cpus = [this] { return cpus; };
        return unicoro::settings::load(request);
    }

    /// With an application given, so that only the point of the test can be wrong.
    unicoro::settings::outcome load_with_app(std::vector<std::string> flags) {
        arguments = std::move(flags);
        arguments.push_back("app:app");
        return load();
    }
};

inline bool mentions(const std::vector<std::string>& lines, std::string_view text) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
}

inline std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    return text;
}

}  // namespace settings_tests

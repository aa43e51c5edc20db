// SPDX-License-Identifier: MIT
// The input is a settings file.
#include "fuzz/invariant.hpp"
#include "settings/load.hpp"
#include "settings/print.hpp"

#include <nlohmann/json.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace unicoro::test {
namespace {

/// A file that is in memory alone.
class file {
  public:
    file() : fd_(memfd_create("settings", MFD_CLOEXEC)) {
        if (fd_ < 0) throw std::runtime_error("no memory file");
    }
    file(const file&) = delete;
    file& operator=(const file&) = delete;
    ~file() { close(fd_); }

    void hold(std::string_view text) const {
        const bool written = ftruncate(fd_, 0) == 0 &&
                             pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
        if (!written) throw std::runtime_error("cannot write the memory file");
    }
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

  private:
    int fd_;
};

settings::outcome load(std::string_view text, const std::vector<std::string>& application) {
    static const file kept;
    kept.hold(text);
    settings::load_request request;
    request.program = "/usr/bin/unicoro";
    request.arguments = {"-c", kept.path()};
    request.arguments.insert(request.arguments.end(), application.begin(), application.end());
    request.environment = [](const std::string&) { return std::nullopt; };
    request.directory = "/";
    request.count_cpus = [] { return 2; };
    return settings::load(request);
}

/// What would say the same in a file: where there are several, `app` is among them by now.
nlohmann::json as_file(const settings::server_settings& values) {
    nlohmann::json file = nlohmann::json::parse(settings::print_json(values));
    if (!values.apps.empty()) file.erase("app");
    return file;
}

}  // namespace

std::string broken_by(std::string_view input) {
    const settings::outcome once = load(input, {"app:app"});
    for (const std::string& error : once.errors) {
        if (error.empty() || error.size() > 10'000) return "an error that says nothing, or too much";
    }
    if (!once.ok()) return {};
    const nlohmann::json printed = as_file(once.settings);
    const settings::outcome again = load(printed.dump(), {});
    if (!again.ok()) return "what was loaded cannot be loaded again: " + again.errors.front();
    const nlohmann::json changes = nlohmann::json::diff(printed, as_file(again.settings));
    if (!changes.empty()) return "another outcome when loaded again: " + changes.dump();
    return {};
}

}  // namespace unicoro::test

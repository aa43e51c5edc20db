// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "app/host.hpp"
#include "os/folder_watch.hpp"

#include <unicoro/awaitable.hpp>

#include <ctime>
#include <optional>
#include <set>
#include <string>

namespace unicoro::worker {

/// Waits for a change of the application's code (the setting `reload`).
class code_watch {
  public:
    /// Before the application is loaded.
    code_watch();

    /// Returns the path of the first file that has changed since this was made; empty when files
    /// cannot be watched, which is logged. What is loaded later is watched within a second. `host`
    /// outlives it.
    awaitable<std::string> changed(app::host& host);

  private:
    /// Watches what is new among the files of the code; the path of one that changed before it was.
    [[nodiscard]] std::optional<std::string> look(app::host& host);
    void watch_folder_of(const std::string& file);
    [[nodiscard]] bool counts(const std::string& path, const app::host& host) const;

    timespec begin_;
    std::optional<os::folder_watch> folders_;
    std::set<std::string> files_;
    std::set<std::string> watched_;
    bool complained_ = false;
};

}  // namespace unicoro::worker

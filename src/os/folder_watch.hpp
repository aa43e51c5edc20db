// SPDX-License-Identifier: MIT
#pragma once

#include "os/forks.hpp"

#include <unicoro/result.hpp>

#include <map>
#include <string>
#include <vector>

namespace unicoro::os {

/// Tells which files of some folders change (inotify(7)): written, replaced, made or removed.
class folder_watch {
  public:
    [[nodiscard]] static result<folder_watch> open() noexcept;

    /// Watches a folder, once however often it is named. ENOENT and the like when there is none;
    /// ENOSPC at the limit fs.inotify.max_user_watches.
    [[nodiscard]] error_code add(const std::string& folder);

    /// Readable when there is something to `take`.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// The paths of what has changed since the last call; does not wait.
    [[nodiscard]] std::vector<std::string> take();

  private:
    explicit folder_watch(unique_fd fd) noexcept : fd_(std::move(fd)) {}

    withheld_fd fd_;
    std::map<int, std::string> folders_;
};

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::app {

/// A file that is open for reading, and what it was like when it was opened.
class open_file {
  public:
    /// Takes any descriptor; none is no file.
    explicit open_file(os::unique_fd fd) noexcept;
    /// Follows links, like any path of an application's own.
    explicit open_file(const char* path) noexcept;

    [[nodiscard]] bool regular() const noexcept { return known_ && S_ISREG(status_.st_mode); }
    [[nodiscard]] bool folder() const noexcept { return known_ && S_ISDIR(status_.st_mode); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(status_.st_size); }
    /// In seconds since 1970.
    [[nodiscard]] std::int64_t modified() const noexcept { return status_.st_mtim.tv_sec; }
    /// A strong validator (RFC 9110, 8.8.3), of the time of the change to the nanosecond, the size, and the
    /// coding that the file is in.
    [[nodiscard]] std::string etag(std::string_view coding) const;

  private:
    os::unique_fd fd_;
    struct stat status_{};
    bool known_ = false;
};

}  // namespace unicoro::app

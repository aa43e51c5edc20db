// SPDX-License-Identifier: MIT
#include "app/open_file.hpp"

#include "log/log.hpp"

#include <fcntl.h>

#include <utility>

namespace unicoro::app {

open_file::open_file(os::unique_fd fd) noexcept : fd_(std::move(fd)) {
    known_ = fd_ && fstat(fd_.get(), &status_) == 0;
}

// Not to be held up by a pipe that nobody writes to.
open_file::open_file(const char* path) noexcept
    : open_file(os::unique_fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))) {}

std::string open_file::etag(std::string_view coding) const {
    const timespec& changed = status_.st_mtim;
    std::string made = fmt::format("\"{:x}.{:x}-{:x}", changed.tv_sec, changed.tv_nsec, status_.st_size);
    if (!coding.empty()) made.append("-").append(coding);
    return made + '"';
}

}  // namespace unicoro::app

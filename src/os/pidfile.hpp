// SPDX-License-Identifier: MIT
#pragma once

#include "base/parent_folder.hpp"
#include "os/failure.hpp"
#include "os/unique_fd.hpp"

#include <sys/types.h>

#include <string>

namespace unicoro::os {

/// A file that names this process and is locked by it; a regular file, never a link. The lock is a POSIX
/// record lock: the kernel drops it when this process ends and never hands it to a child, so an orphaned
/// worker cannot keep it and a file left behind by a crash never blocks a start. It also means that this
/// process must not open and close the file by other means.
class pidfile {
  public:
    /// Locks the file and replaces it by one with the pid of this process, in one step for readers.
    /// Fails, naming the pid, when a live process holds the lock.
    [[nodiscard]] static outcome<pidfile> create(const std::string& path) noexcept;

    /// Goes on with a file that the program which this process was before has made and locked under this
    /// path, with `locked` its descriptor of it. Fails where it does not stand there any more.
    [[nodiscard]] static outcome<pidfile> resume(const std::string& path, unique_fd locked) noexcept;

    pidfile(pidfile&& other) noexcept = default;
    pidfile& operator=(pidfile&& other) noexcept;

    /// Removes the file if this process made it and it still stands there.
    ~pidfile();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// After fork: lets go of the descriptors and leaves the file to the parent.
    void abandon() noexcept {
        fd_.reset();
        folder_ = {};
    }

  private:
    pidfile(std::string path, base::parent_folder folder, unique_fd fd, pid_t owner) noexcept
        : path_(std::move(path)), folder_(std::move(folder)), fd_(std::move(fd)), owner_(owner) {}

    void remove() noexcept;

    std::string path_;
    base::parent_folder folder_;
    unique_fd fd_;
    pid_t owner_;
};

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#include "os/pidfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace unicoro::os {
namespace {

struct flock whole_file(short type) noexcept {
    struct flock region{};
    region.l_type = type;
    region.l_whence = SEEK_SET;
    return region;
}

bool lock(int fd) noexcept {
    struct flock region = whole_file(F_WRLCK);
    return fcntl(fd, F_SETLK, &region) == 0;
}

// The kernel knows the holder, except across pid namespaces, where the content has to do.
std::string holder_of(int fd) {
    struct flock region = whole_file(F_WRLCK);
    if (fcntl(fd, F_GETLK, &region) == 0 && region.l_type != F_UNLCK && region.l_pid > 0) {
        return std::to_string(region.l_pid);
    }
    std::array<char, 32> text{};
    const ssize_t got = pread(fd, text.data(), text.size(), 0);
    std::string_view digits(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    digits = digits.substr(0, digits.find_first_not_of("0123456789"));
    return digits.empty() ? "unknown" : std::string(digits);
}

bool same_file(int fd, const base::parent_folder& folder) noexcept {
    struct stat opened{};
    struct stat named{};
    const char* const name = folder.name().c_str();
    if (fstat(fd, &opened) != 0) return false;
    if (fstatat(folder.fd(), name, &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool write_all(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t sent = write(fd, text.data(), text.size());
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// The new file is complete and locked before it gets the name, so no reader sees an empty one and no
// rival finds it unlocked.
result<unique_fd> write_beside(int folder, const std::string& temporary, pid_t pid) noexcept {
    const char* const name = temporary.c_str();
    unlinkat(folder, name, 0);
    unique_fd fd(openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return last_error();
    if (fchmod(fd.get(), 0644) != 0 || !lock(fd.get()) || !write_all(fd.get(), std::to_string(pid) + "\n")) {
        const error_code failed = last_error();
        unlinkat(folder, name, 0);
        return failed;
    }
    return fd;
}

/// Why what was found is no pidfile, empty when it may be one.
std::string objection(int fd, const base::parent_folder& folder) {
    struct stat found{};
    if (fstat(fd, &found) != 0) return last_error().message();
    if (!S_ISREG(found.st_mode)) return "it is not a regular file";
    // A lock on another daemon's file, or its first digits in our log, would be a favour to somebody.
    if (found.st_nlink > 1 && folder.shared()) {
        return "it has another name (a hard link), and others can write to its directory";
    }
    return "";
}

// Opens and locks what stands at the path now. A rival may replace the file between the two steps;
// then the lock is on a file nobody can find any more, and the attempt is repeated.
outcome<unique_fd> lock_current(const std::string& path, const base::parent_folder& folder) {
    constexpr int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    for (;;) {
        unique_fd fd(openat(folder.fd(), folder.name().c_str(), flags, 0644));
        if (!fd && errno == ELOOP) {
            return failure{
                last_error(), "cannot write pidfile " + path + ": it is a symbolic link; name the file itself"
            };
        }
        if (!fd) return make_failure(last_error(), "cannot write pidfile " + path);
        if (const std::string why = objection(fd.get(), folder); !why.empty()) {
            return failure{system_error(EINVAL), "cannot write pidfile " + path + ": " + why};
        }
        if (!lock(fd.get())) {
            if (errno != EACCES && errno != EAGAIN) {
                return make_failure(last_error(), "cannot lock pidfile " + path);
            }
            return failure{
                system_error(EEXIST),
                "already running on PID " + holder_of(fd.get()) + " (pidfile " + path +
                    " is locked); stop that process or choose another pidfile"
            };
        }
        if (same_file(fd.get(), folder)) return fd;
    }
}

}  // namespace

outcome<pidfile> pidfile::create(const std::string& path) noexcept {
    const std::string what = "cannot write pidfile " + path;
    auto found = base::parent_folder::of(path, base::parent_folder::last_link::keep);
    if (!found) return failure{system_error(found.error().error), what + ": " + found.error().reason};
    base::parent_folder folder = std::move(*found);
    const auto current = lock_current(path, folder);
    if (!current) return current.error();
    const pid_t pid = getpid();
    const std::string temporary = folder.name() + "." + std::to_string(pid) + ".new";
    auto written = write_beside(folder.fd(), temporary, pid);
    if (!written) return make_failure(written.error(), what);
    if (renameat(folder.fd(), temporary.c_str(), folder.fd(), folder.name().c_str()) != 0) {
        const error_code failed = last_error();
        unlinkat(folder.fd(), temporary.c_str(), 0);
        return make_failure(failed, what);
    }
    if (!same_file(written->get(), folder)) {
        return failure{
            system_error(ESTALE),
            what + ": somebody else has replaced it meanwhile; choose a directory that only root can write to"
        };
    }
    return pidfile(path, std::move(folder), std::move(*written), pid);
}

outcome<pidfile> pidfile::resume(const std::string& path, unique_fd locked) noexcept {
    const std::string what = "cannot go on with pidfile " + path;
    auto folder = base::parent_folder::of(path, base::parent_folder::last_link::keep);
    if (!folder) return failure{system_error(folder.error().error), what + ": " + folder.error().reason};
    if (!same_file(locked.get(), *folder)) {
        return failure{system_error(ESTALE), what + ": another file stands there now"};
    }
    return pidfile(path, std::move(*folder), std::move(locked), getpid());
}

pidfile& pidfile::operator=(pidfile&& other) noexcept {
    if (this != &other) {
        remove();
        path_ = std::move(other.path_);
        folder_ = std::move(other.folder_);
        fd_ = std::move(other.fd_);
        owner_ = other.owner_;
    }
    return *this;
}

pidfile::~pidfile() {
    remove();
}

void pidfile::remove() noexcept {
    if (fd_ && owner_ == getpid() && same_file(fd_.get(), folder_)) {
        unlinkat(folder_.fd(), folder_.name().c_str(), 0);
    }
    fd_.reset();
}

}  // namespace unicoro::os

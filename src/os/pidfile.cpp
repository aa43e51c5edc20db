// SPDX-License-Identifier: MIT
#include "os/pidfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string_view>

namespace unicoro::os {
namespace {

struct flock whole_file(short type) noexcept {
    struct flock region {};
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

bool same_file(int fd, const char* path) noexcept {
    struct stat opened {};
    struct stat named {};
    if (fstat(fd, &opened) != 0 || lstat(path, &named) != 0) return false;
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
result<unique_fd> write_beside(const std::string& temporary, pid_t pid) noexcept {
    unlink(temporary.c_str());
    unique_fd fd(open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return last_error();
    if (fchmod(fd.get(), 0644) != 0 || !lock(fd.get()) ||
        !write_all(fd.get(), std::to_string(pid) + "\n")) {
        const error_code failed = last_error();
        unlink(temporary.c_str());
        return failed;
    }
    return fd;
}

// Opens and locks what stands at the path now. A rival may replace the file between the two steps;
// then the lock is on a file nobody can find any more, and the attempt is repeated.
outcome<unique_fd> lock_current(const std::string& path) {
    for (;;) {
        unique_fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!fd) return make_failure(last_error(), "cannot write pidfile " + path);
        if (!lock(fd.get())) {
            if (errno != EACCES && errno != EAGAIN) {
                return make_failure(last_error(), "cannot lock pidfile " + path);
            }
            return failure{
                system_error(EEXIST),
                "already running on PID " + holder_of(fd.get()) + " (pidfile " + path +
                    " is locked); stop that process or choose another pidfile"};
        }
        if (same_file(fd.get(), path.c_str())) return fd;
    }
}

}  // namespace

outcome<pidfile> pidfile::create(const std::string& path) noexcept {
    const auto current = lock_current(path);
    if (!current) return current.error();
    const pid_t pid = getpid();
    const std::string temporary = path + "." + std::to_string(pid) + ".new";
    auto written = write_beside(temporary, pid);
    if (!written) return make_failure(written.error(), "cannot write pidfile " + path);
    if (rename(temporary.c_str(), path.c_str()) != 0) {
        const error_code failed = last_error();
        unlink(temporary.c_str());
        return make_failure(failed, "cannot write pidfile " + path);
    }
    return pidfile(path, std::move(*written), pid);
}

pidfile& pidfile::operator=(pidfile&& other) noexcept {
    if (this != &other) {
        remove();
        path_ = std::move(other.path_);
        fd_ = std::move(other.fd_);
        owner_ = other.owner_;
    }
    return *this;
}

pidfile::~pidfile() { remove(); }

void pidfile::remove() noexcept {
    if (fd_ && owner_ == getpid() && same_file(fd_.get(), path_.c_str())) unlink(path_.c_str());
    fd_.reset();
}

}  // namespace unicoro::os

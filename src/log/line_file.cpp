// SPDX-License-Identifier: MIT
#include "log/line_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

namespace unicoro::log {
namespace {

constexpr mode_t new_file_mode = 0644;
/// A log pipe whose reader stands still may hold up its writer so long, not longer.
constexpr int stalled_reader_ms = 100;

std::string reason_for(const std::string& path, int error) {
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(path).parent_path();
    std::error_code ignored;
    if (error == ENOENT && !fs::exists(folder, ignored)) {
        return fmt::format(
            "cannot open '{}': the directory '{}' does not exist; create it first",
            path,
            folder.string()
        );
    }
    return fmt::format("cannot open '{}': {}", path, std::generic_category().message(error));
}

/// Opens for append. Only a regular file is given away: /dev/stdout and friends stay whose they
/// are.
int open_for_append(const std::string& path, const file_owner& owner) noexcept {
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags, new_file_mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return -1;

    struct stat found {};
    const uid_t user = owner.user.value_or(static_cast<uid_t>(-1));
    const gid_t group = owner.group.value_or(static_cast<gid_t>(-1));
    const bool someone = owner.user.has_value() || owner.group.has_value();
    if (someone && ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode) &&
        ::fchown(fd, user, group) != 0 && ::geteuid() == 0) {
        const int error = errno;
        ::close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

bool wait_for_reader(int fd) noexcept {
    pollfd waiting{fd, POLLOUT, 0};
    return ::poll(&waiting, 1, stalled_reader_ms) > 0;
}

}  // namespace

line_file::~line_file() {
    if (owned_) ::close(fd_);
}

std::optional<std::string> line_file::open(const std::string& path, file_owner owner) {
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(path, failed);
    if (failed) return fmt::format("cannot open '{}': {}", path, failed.message());
    const int fd = open_for_append(absolute.string(), owner);
    if (fd < 0) return reason_for(absolute.string(), errno);
    if (owned_) ::close(fd_);
    fd_ = fd;
    owned_ = true;
    path_ = absolute.string();
    owner_ = owner;
    return std::nullopt;
}

std::optional<std::string> line_file::reopen() {
    if (!is_file()) return std::nullopt;
    const int fd = open_for_append(path_, owner_);
    if (fd < 0) return reason_for(path_, errno);
    // dup3 swaps the file under the number in one step: other threads never meet a closed
    // descriptor.
    const int swapped = ::dup3(fd, fd_, O_CLOEXEC);
    const int error = errno;
    ::close(fd);
    if (swapped < 0) return reason_for(path_, error);
    torn_ = false;
    return std::nullopt;
}

bool line_file::write_line(std::string_view line) noexcept {
    const int caller_errno = errno;
    bool first = true;
    // A line cut off by a full disk must not swallow the next one.
    char newline = '\n';
    bool mend = torn_.exchange(false);
    while (!line.empty()) {
        iovec parts[2] = {{&newline, 1}, {const_cast<char*>(line.data()), line.size()}};
        const int skip = mend ? 0 : 1;
        const ssize_t sent = ::writev(fd_, parts + skip, 2 - skip);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN && wait_for_reader(fd_)) continue;
        if (sent <= 0) {
            count_loss(sent < 0 ? errno : EIO);
            torn_ = mend || !first;
            errno = caller_errno;
            return false;
        }
        auto taken = static_cast<std::size_t>(sent);
        if (mend) {
            mend = false;
            --taken;
        }
        if (taken > 0) first = false;
        line.remove_prefix(taken);
    }
    errno = caller_errno;
    return true;
}

line_file::loss line_file::take_loss() noexcept {
    const std::uint64_t lines = lost_.exchange(0);
    return {lines, lost_error_.load()};
}

void line_file::count_loss(int error) noexcept {
    lost_error_ = error;
    ++lost_;
}

}  // namespace unicoro::log

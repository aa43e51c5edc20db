// SPDX-License-Identifier: MIT
#include "log/line_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

namespace unicoro::log {
namespace {

/// A terminal that another process has made non-blocking may hold up its writer so long, not longer.
constexpr int halted_terminal_ms = 100;

bool wait_for_terminal(int fd) noexcept {
    pollfd waiting{fd, POLLOUT, 0};
    return ::poll(&waiting, 1, halted_terminal_ms) > 0;
}

}  // namespace

std::optional<std::string> line_file::open(const std::string& path, file_owner owner) {
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(path, failed);
    if (failed) return fmt::format("cannot open '{}': {}", path, failed.message());
    append_file file = open_for_append(absolute.string(), owner, unread_pipe::wait);
    if (!file.fd) return std::move(file.problem);
    owned_ = std::move(file.fd);
    fd_ = owned_.get();
    path_ = absolute.string();
    owner_ = owner;
    follow();
    return std::nullopt;
}

std::optional<std::string> line_file::reopen() {
    if (!is_file()) return std::nullopt;
    const append_file file = open_for_append(path_, owner_, unread_pipe::refuse);
    if (!file.fd) return file.problem;
    if (replace(file.fd.get())) return std::nullopt;
    return fmt::format("cannot open '{}': {}", path_, std::generic_category().message(errno));
}

bool line_file::replace(int fd) noexcept {
    // dup3 swaps the file under the number in one step: other threads never meet a closed
    // descriptor.
    if (::dup3(fd, fd_, O_CLOEXEC) < 0) return false;
    torn_ = false;
    follow();
    return true;
}

bool line_file::write_line(std::string_view line) noexcept {
    const int caller_errno = errno;
    const bool written = pipe_.takes() ? pipe_.write(line) : write_out(line);
    errno = caller_errno;
    return written;
}

bool line_file::write_out(std::string_view line) noexcept {
    bool first = true;
    // A line cut off by a full disk must not swallow the next one.
    char newline = '\n';
    bool mend = torn_.exchange(false);
    while (!line.empty()) {
        iovec parts[2] = {{&newline, 1}, {const_cast<char*>(line.data()), line.size()}};
        const int skip = mend ? 0 : 1;
        const ssize_t sent = ::writev(fd_, parts + skip, 2 - skip);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN && wait_for_terminal(fd_)) continue;
        if (sent <= 0) {
            lost_.add(1, sent < 0 ? errno : EIO);
            torn_ = mend || !first;
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
    return true;
}

line_file::loss line_file::take_loss() noexcept {
    const std::uint64_t lines = lost_.lines.exchange(0);
    return {lines, lost_.error.load()};
}

}  // namespace unicoro::log

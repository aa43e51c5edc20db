// SPDX-License-Identifier: MIT
#include "log/pipe_writer.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

namespace unicoro::log {
namespace {

// Some thousand lines, for a reader that is busy for a moment.
constexpr std::size_t most_kept = std::size_t{256} * 1024;

/// The same pipe with flags of its own; nothing where there is no /proc, no right to it, or nobody reads.
base::unique_fd open_again(int pipe) noexcept {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "/proc/self/fd/%d", pipe);
    return base::unique_fd(::open(name.data(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

bool has_room(int pipe) noexcept {
    pollfd asked{pipe, POLLOUT, 0};
    return ::poll(&asked, 1, 0) > 0;
}

}  // namespace

class pipe_writer::lock {
  public:
    explicit lock(pipe_writer& of) noexcept : held_(of.holder_) {
        const pid_t self = held_.self();
        if (of.keeper_ == self) return;
        of.keeper_ = self;
        of.kept_ = 0;
        of.torn_ = false;
        if (of.kind_ == kind::own_pipe) of.kind_ = kind::shared_pipe;
    }

  private:
    process_lock held_;
};

void pipe_writer::follow(int fd) noexcept {
    const int caller_errno = errno;
    struct stat found{};
    kind now = kind::other;
    if (::fstat(fd, &found) == 0) {
        if (S_ISFIFO(found.st_mode)) now = kind::shared_pipe;
        if (S_ISSOCK(found.st_mode)) now = kind::socket;
    }
    base::unique_fd again = now == kind::shared_pipe ? open_again(fd) : base::unique_fd();
    if (again) now = kind::own_pipe;
    const lock held(*this);
    // The number stays, for who keeps it from children, and leads to what came instead.
    if (own_ && ::dup3(again ? again.get() : fd, own_.get(), O_CLOEXEC) >= 0) again.reset();
    if (again) own_ = std::move(again);
    given_ = fd;
    kind_ = now;
    errno = caller_errno;
}

// What was written, or -1. A pipe that could not be opened again may hold up its writer when another process
// fills it between the look and the write.
ssize_t pipe_writer::put(std::string_view bytes) noexcept {
    for (;;) {
        const kind now = kind_;
        const int fd = now == kind::own_pipe ? own_.get() : given_;
        if (now == kind::shared_pipe && !has_room(fd)) {
            errno = EAGAIN;
            return -1;
        }
        const std::size_t size =
            now == kind::shared_pipe ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
        const ssize_t sent = now == kind::socket ? ::send(fd, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                                 : ::write(fd, bytes.data(), size);
        if (sent >= 0 || errno != EINTR) return sent;
    }
}

bool pipe_writer::write(std::string_view line) noexcept {
    const lock held(*this);
    write_kept();
    std::size_t taken = 0;
    if (kept_ == 0 && !torn_) {
        const ssize_t sent = put(line);
        if (sent < 0 && errno != EAGAIN) {
            lost_.add(1, errno);
            return false;
        }
        taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
        if (taken == line.size()) return true;
    }
    const bool kept = keep(line.substr(taken));
    torn_ = torn_ || (!kept && taken > 0);
    write_kept();
    return kept;
}

bool pipe_writer::keep(std::string_view bytes) noexcept {
    const std::size_t used = kept_;
    const std::size_t needed = bytes.size() + (torn_ ? 1 : 0);
    if (!buffer_) buffer_.reset(new (std::nothrow) char[most_kept]);
    if (!buffer_ || needed > most_kept - used) {
        lost_.add(1, buffer_ ? EAGAIN : ENOMEM);
        return false;
    }
    char* to = buffer_.get() + used;
    if (torn_) *to++ = '\n';
    torn_ = false;
    std::memcpy(to, bytes.data(), bytes.size());
    kept_ = used + needed;
    return true;
}

// Up to PIPE_BUF bytes go into a pipe whole, so that lines of many processes do not mix.
std::string_view pipe_writer::whole_lines() const noexcept {
    const std::string_view all(buffer_.get(), kept_);
    const std::size_t last = all.substr(0, PIPE_BUF).rfind('\n');
    if (last != std::string_view::npos) return all.substr(0, last + 1);
    const std::size_t end = all.find('\n');
    return end == std::string_view::npos ? all : all.substr(0, end + 1);
}

void pipe_writer::write_kept() noexcept {
    while (kept_ > 0) {
        const ssize_t sent = put(whole_lines());
        if (sent < 0 && errno == EAGAIN) return;
        if (sent <= 0) {
            const std::string_view all(buffer_.get(), kept_);
            lost_.add(static_cast<std::uint64_t>(std::count(all.begin(), all.end(), '\n')), errno);
            kept_ = 0;
            return;
        }
        const auto taken = static_cast<std::size_t>(sent);
        std::memmove(buffer_.get(), buffer_.get() + taken, kept_ - taken);
        kept_ -= taken;
    }
}

bool pipe_writer::flush() noexcept {
    if (!keeps()) return false;
    const int caller_errno = errno;
    bool last = false;
    {
        const lock held(*this);
        // In a child nothing is kept, which is no news.
        const bool any = kept_ > 0;
        write_kept();
        last = any && kept_ == 0;
    }
    errno = caller_errno;
    return last;
}

}  // namespace unicoro::log

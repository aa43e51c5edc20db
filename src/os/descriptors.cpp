// SPDX-License-Identifier: MIT
#include "os/descriptors.hpp"

#include "os/failure.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace unicoro::os {

result<pipe_ends> make_pipe() noexcept {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return last_error();
    return pipe_ends{unique_fd(ends[0]), unique_fd(ends[1])};
}

result<socket_pair> make_socket_pair() noexcept {
    std::array<int, 2> ends{};
    const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (socketpair(AF_UNIX, type, 0, ends.data()) != 0) return last_error();
    return socket_pair{unique_fd(ends[0]), unique_fd(ends[1])};
}

result<unique_fd> make_event() noexcept {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return last_error();
    return unique_fd(fd);
}

void raise_event(int event_fd) noexcept {
    const std::uint64_t one = 1;
    // EAGAIN means the counter is full, which wakes the reader as well.
    while (write(event_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

bool clear_event(int event_fd) noexcept {
    std::uint64_t count = 0;
    ssize_t got = 0;
    do {
        got = read(event_fd, &count, sizeof count);
    } while (got < 0 && errno == EINTR);
    return got == static_cast<ssize_t>(sizeof count);
}

error_code make_private(int fd) noexcept {
    const int status = fcntl(fd, F_GETFL);
    if (status < 0) return last_error();
    if (fcntl(fd, F_SETFL, status | O_NONBLOCK) != 0) return last_error();
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) return last_error();
    if (fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) return last_error();
    return {};
}

}  // namespace unicoro::os

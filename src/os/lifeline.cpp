// SPDX-License-Identifier: MIT
#include "os/lifeline.hpp"

#include "os/failure.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

namespace unicoro::os {
namespace {

constexpr int at_once = MSG_DONTWAIT | MSG_NOSIGNAL;

// Room for one descriptor beside the text of a message.
union control_block {
    cmsghdr aligned;
    std::array<std::byte, CMSG_SPACE(sizeof(int))> bytes;
};

msghdr message_of(iovec& text, control_block& control) noexcept {
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    return message;
}

unique_fd file_in(msghdr& message) noexcept {
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return {};
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return unique_fd(fd);
}

}  // namespace

result<lifeline> make_lifeline() noexcept {
    std::array<int, 2> ends{};
    const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (socketpair(AF_UNIX, type, 0, ends.data()) != 0) return last_error();
    return lifeline{unique_fd(ends[0]), unique_fd(ends[1])};
}

void ring(int worker_end) noexcept {
    const char one = 1;
    while (send(worker_end, &one, sizeof one, at_once) < 0 && errno == EINTR) {
    }
}

bool take_ring(int master_end) noexcept {
    char one = 0;
    ssize_t got = 0;
    do {
        got = recv(master_end, &one, sizeof one, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

void tell_number(int worker_end, std::int64_t number) noexcept {
    while (send(worker_end, &number, sizeof number, at_once) < 0 && errno == EINTR) {
    }
}

told_number take_number(int master_end) noexcept {
    std::int64_t number = 0;
    ssize_t got = 0;
    do {
        got = recv(master_end, &number, sizeof number, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return {};
    if (got <= 0) return {.open = false, .number = {}};
    if (got != sizeof number) return {};
    return {.open = true, .number = number};
}

error_code hand_file(int master_end, const std::string& name, int fd) noexcept {
    control_block control{};
    iovec text{const_cast<char*>(name.data()), name.size()};
    msghdr message = message_of(text, control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    ssize_t sent = 0;
    do {
        sent = sendmsg(master_end, &message, at_once);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? last_error() : error_code{};
}

std::optional<handed_file> take_file(int worker_end) {
    std::array<char, PATH_MAX> name{};
    control_block control{};
    iovec text{name.data(), name.size()};
    msghdr message = message_of(text, control);
    ssize_t got = 0;
    do {
        got = recvmsg(worker_end, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return handed_file{};
    if (got <= 0) return std::nullopt;
    return handed_file{{name.data(), static_cast<std::size_t>(got)}, file_in(message)};
}

}  // namespace unicoro::os

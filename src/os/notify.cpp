// SPDX-License-Identifier: MIT
#include "os/notify.hpp"

#include "os/failure.hpp"
#include "os/unique_fd.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace unicoro::os {
namespace {

/// Room for one descriptor beside the text of a message.
union passed_descriptor {
    cmsghdr aligned;
    std::array<std::byte, CMSG_SPACE(sizeof(int))> bytes;

    void pass(int fd, msghdr& with) noexcept {
        with.msg_control = this;
        with.msg_controllen = sizeof *this;
        cmsghdr* const header = CMSG_FIRSTHDR(&with);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
};

std::string take_variable(const char* name) {
    const char* value = std::getenv(name);
    std::string text(value == nullptr ? "" : value);
    unsetenv(name);
    return text;
}

std::optional<std::int64_t> number_of(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

service_notifier service_notifier::from_environment() {
    service_notifier made;
    made.address_ = take_variable("NOTIFY_SOCKET");
    const auto interval = number_of(take_variable("WATCHDOG_USEC"));
    const auto watched = number_of(take_variable("WATCHDOG_PID"));
    const bool for_us = !watched || *watched == getpid();
    if (interval && *interval > 0 && for_us) made.watchdog_ = std::chrono::microseconds(*interval);
    return made;
}

error_code service_notifier::send(std::string_view lines, std::optional<int> fd) const noexcept {
    if (!active()) return {};
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (address_.size() >= sizeof to.sun_path) return system_error(ENAMETOOLONG);
    std::memcpy(to.sun_path, address_.data(), address_.size());
    auto length = offsetof(sockaddr_un, sun_path) + address_.size();
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0';  // an abstract name: its length counts, no terminator
    } else {
        ++length;
    }
    const unique_fd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_fd) return last_error();
    iovec text{const_cast<char*>(lines.data()), lines.size()};
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = static_cast<socklen_t>(length);
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    passed_descriptor control{};
    if (fd) control.pass(*fd, message);
    const auto sent = sendmsg(socket_fd.get(), &message, MSG_NOSIGNAL);
    return sent < 0 ? last_error() : error_code{};
}

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#include "os/notify.hpp"

#include "os/failure.hpp"
#include "os/unique_fd.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace unicoro::os {
namespace {

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

error_code service_notifier::send(std::string_view lines) const noexcept {
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
    const auto* address = reinterpret_cast<const sockaddr*>(&to);
    const auto sent = sendto(
        socket_fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL, address, static_cast<socklen_t>(length)
    );
    return sent < 0 ? last_error() : error_code{};
}

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#include "os/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace unicoro::os {
namespace {

template <class Native>
const Native& as(const socket_address& address) noexcept {
    return *reinterpret_cast<const Native*>(&address.storage);
}

std::string path_of(const socket_address& address) {
    const auto& native = as<sockaddr_un>(address);
    const std::size_t room = address.length - offsetof(sockaddr_un, sun_path);
    return {native.sun_path, strnlen(native.sun_path, room)};
}

}  // namespace

std::uint16_t socket_address::port() const noexcept {
    if (storage.ss_family == AF_INET) return ntohs(as<sockaddr_in>(*this).sin_port);
    if (storage.ss_family == AF_INET6) return ntohs(as<sockaddr_in6>(*this).sin6_port);
    return 0;
}

bool socket_address::is_tcp() const noexcept {
    return storage.ss_family == AF_INET || storage.ss_family == AF_INET6;
}

std::string socket_address::host() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    switch (storage.ss_family) {
        case AF_INET:
            inet_ntop(AF_INET, &as<sockaddr_in>(*this).sin_addr, buffer.data(), buffer.size());
            break;
        case AF_INET6:
            inet_ntop(AF_INET6, &as<sockaddr_in6>(*this).sin6_addr, buffer.data(), buffer.size());
            break;
        default: return path_of(*this);
    }
    return buffer.data();
}

result<socket_address> local_address(int fd) noexcept {
    socket_address address;
    address.length = sizeof address.storage;
    if (getsockname(fd, address.data(), &address.length) != 0) return last_error();
    return address;
}

result<socket_address> peer_address(int fd) noexcept {
    socket_address address;
    address.length = sizeof address.storage;
    if (getpeername(fd, address.data(), &address.length) != 0) return last_error();
    return address;
}

result<socket_address> unix_address(std::string_view path) noexcept {
    socket_address address;
    auto& native = *reinterpret_cast<sockaddr_un*>(&address.storage);
    if (path.empty()) return system_error(EINVAL);
    if (path.size() >= sizeof native.sun_path) return system_error(ENAMETOOLONG);
    native.sun_family = AF_UNIX;
    std::memcpy(native.sun_path, path.data(), path.size());
    address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
}

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::os {

/// An address of any family the server listens on, as the kernel has it.
struct socket_address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] const sockaddr* data() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] bool is_unix() const noexcept { return storage.ss_family == AF_UNIX; }
    /// Of IPv4 or IPv6.
    [[nodiscard]] bool is_tcp() const noexcept;

    /// "127.0.0.1", "::1", or the path.
    [[nodiscard]] std::string host() const;
    /// 0 on unix sockets.
    [[nodiscard]] std::uint16_t port() const noexcept;
};

/// The local address of a socket.
[[nodiscard]] result<socket_address> local_address(int fd) noexcept;

/// The address at the other end of a connected socket.
[[nodiscard]] result<socket_address> peer_address(int fd) noexcept;

/// A path as an address; fails with ENAMETOOLONG and with EINVAL when it is empty.
[[nodiscard]] result<socket_address> unix_address(std::string_view path) noexcept;

}  // namespace unicoro::os

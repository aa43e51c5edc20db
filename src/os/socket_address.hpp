// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace unicoro::os {

enum class address_family { ipv4, ipv6, unix_path };

/// An address of any family the server listens on, as the kernel has it.
struct socket_address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] const sockaddr* data() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] std::uint16_t port() const noexcept;

    /// "127.0.0.1:8000", "[::1]:8000", or the path.
    [[nodiscard]] std::string text() const;
};

/// The local address of a socket.
[[nodiscard]] result<socket_address> local_address(int fd) noexcept;

/// A path as an address; fails with ENAMETOOLONG and with EINVAL when it is empty.
[[nodiscard]] result<socket_address> unix_address(std::string_view path) noexcept;

/// The family, if it is one of those the server listens on; EAFNOSUPPORT otherwise.
[[nodiscard]] result<address_family> family_of(const socket_address& address) noexcept;

/// How start-up lines show a listener on this address.
[[nodiscard]] std::string display_text(const socket_address& address);

}  // namespace unicoro::os

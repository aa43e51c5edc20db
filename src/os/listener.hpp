// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "os/forks.hpp"
#include "os/socket_address.hpp"
#include "os/socket_file.hpp"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace unicoro::os {

/// A stream socket that accepts connections. Copies share the socket, which is closed with the last
/// copy; the file of a unix socket stays until `remove_path`.
class listener {
  public:
    /// The socket as it is made; for the factories of this floor.
    struct state {
        withheld_fd fd;
        bool unix_socket = false;
        std::string address;
        std::uint16_t port = 0;
    };

    explicit listener(state made) : state_(std::make_shared<const state>(std::move(made))) {}

    /// A unix socket that was bound here.
    listener(state made, socket_file file)
        : state_(std::make_shared<const state>(std::move(made))),
          file_(std::make_shared<const socket_file>(std::move(file))) {}

    [[nodiscard]] int fd() const noexcept { return state_->fd.get(); }
    [[nodiscard]] bool is_unix() const noexcept { return state_->unix_socket; }

    /// "127.0.0.1", "::1"; of a unix socket the path, as it was asked for.
    [[nodiscard]] const std::string& address() const noexcept { return state_->address; }

    /// The port in force, also where port 0 was asked for; 0 on unix sockets.
    [[nodiscard]] std::uint16_t port() const noexcept { return state_->port; }

    /// As start-up lines show it: "http://127.0.0.1:8000", "unix:/run/app.sock".
    [[nodiscard]] std::string text(bool encrypted = false) const;

    /// Whether an IPv6 socket leaves IPv4 alone; false for others.
    [[nodiscard]] bool ipv6_only() const noexcept;

    /// Whether other servers may listen on its port, too (SO_REUSEPORT).
    [[nodiscard]] bool shares_port() const noexcept;

    /// How many connections wait to be accepted; 0 on unix sockets, whose kernel does not tell.
    [[nodiscard]] std::uint32_t waiting() const noexcept;

    /// Applies another backlog to the socket.
    [[nodiscard]] error_code set_backlog(int backlog) const noexcept;

    /// Makes the socket non-blocking again, if a process that shares it has changed that for all.
    void restore_flags() const noexcept;

    /// Gives the file of a unix socket these rights; nothing for others and for inherited sockets.
    [[nodiscard]] error_code set_path_rights(const file_rights& rights) const noexcept;

    /// Whether there is a file of it, made here, which `remove_path` removes.
    [[nodiscard]] bool has_file() const noexcept { return file_ != nullptr; }

    /// Master only: removes the file of a unix socket if it is still the one bound here.
    void remove_path() const noexcept;

    /// For a worker: the socket without what holds its file, which is the master's.
    [[nodiscard]] listener socket_only() const noexcept;

  private:
    std::shared_ptr<const state> state_;
    std::shared_ptr<const socket_file> file_;  // unix, bound by us
};

/// How to open a TCP listener. The host may be a name (IPv4 preferred, as gunicorn); empty = every
/// IPv4 address.
struct tcp_request {
    std::string host;
    std::uint16_t port = 0;
    int backlog = 2048;
    bool share_port = false;  ///< SO_REUSEPORT: other servers of the same user may listen there, too
    std::optional<bool> ipv6_only = {};  ///< IPV6_V6ONLY; none = as the kernel has it
};

/// What an IPv6 socket is when nobody says (net.ipv6.bindv6only).
[[nodiscard]] bool ipv6_only_by_default() noexcept;

/// Binds and listens; resolves names, so it may block: master only. The accepted sockets inherit
/// TCP_NODELAY.
[[nodiscard]] outcome<listener> listen_tcp(const tcp_request& asked) noexcept;

/// How to open a unix listener.
struct unix_request {
    std::string path;
    int backlog = 2048;
    mode_t umask = 0;
    std::optional<uid_t> user;
    std::optional<gid_t> group;
};

/// Binds and listens. A socket file nobody answers on is replaced; one that is answered, and any
/// other file, is an error.
[[nodiscard]] outcome<listener> listen_unix(const unix_request& asked) noexcept;

}  // namespace unicoro::os

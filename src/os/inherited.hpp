// SPDX-License-Identifier: MIT
#pragma once

#include "os/listener.hpp"

#include <optional>
#include <string>
#include <vector>

namespace unicoro::os {

/// Takes over a socket that came with the process (`fd://N`): it must be a bound stream socket; one
/// that does not listen yet is told to. Its file, if it has one, is never removed by us.
[[nodiscard]] outcome<listener> adopt_listener(int fd, int backlog) noexcept;

/// A socket that another program has bound as `listener`, and passed on under this number. `path`: of a unix
/// socket that has bound its file, as it was asked for; only who takes that over removes it.
struct passed_socket {
    int fd = -1;
    std::optional<std::string> path;
};
[[nodiscard]] outcome<listener> resume_listener(const passed_socket& passed) noexcept;

/// A descriptor that the service manager has passed, and its name there; empty when it has none.
struct manager_socket {
    int fd = -1;
    std::string name;
};

/// What systemd passed (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES). Removes those variables from the
/// environment, so that no child takes it again. Empty when there is nothing or it is meant for another
/// process.
[[nodiscard]] std::vector<manager_socket> take_systemd_sockets();

/// Adopts all of them.
[[nodiscard]] outcome<std::vector<listener>> adopt_listeners(
    const std::vector<manager_socket>& passed, int backlog
);

}  // namespace unicoro::os

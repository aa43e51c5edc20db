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

/// A socket that another program has bound as `listener`, and passed on under this number: the same socket as
/// it was there, which does not listen where it did not. `path`: of a unix socket that has bound its file, as
/// it was asked for; only who takes that over removes it.
struct passed_socket {
    int fd = -1;
    std::optional<std::string> path;
};
[[nodiscard]] outcome<listener> resume_listener(const passed_socket& passed) noexcept;

/// Takes the sockets systemd passed (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES) and removes those
/// variables from the environment, so that no child takes them again. Empty when there are none or
/// they are meant for another process.
[[nodiscard]] outcome<std::vector<listener>> take_systemd_listeners(int backlog) noexcept;

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "os/listener.hpp"

#include <vector>

namespace unicoro::os {

/// Takes over a socket that came with the process (`fd://N`): it must be a bound stream socket; one
/// that does not listen yet is told to. Its file, if it has one, is never removed by us.
[[nodiscard]] outcome<listener> adopt_listener(int fd, int backlog) noexcept;

/// Takes the sockets systemd passed (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES) and removes those
/// variables from the environment, so that no child takes them again. Empty when there are none or
/// they are meant for another process.
[[nodiscard]] outcome<std::vector<listener>> take_systemd_listeners(int backlog) noexcept;

}  // namespace unicoro::os

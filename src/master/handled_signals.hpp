// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <csignal>

namespace unicoro::master {

/// Those that the master acts on. In a process that it has made to preload the application they change
/// nothing.
inline constexpr std::array handled_signals{
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    SIGTTIN,
    SIGTTOU,
    SIGUSR1,
    SIGUSR2,
    SIGWINCH,
    SIGCHLD,
};

}  // namespace unicoro::master

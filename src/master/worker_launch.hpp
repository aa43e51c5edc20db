// SPDX-License-Identifier: MIT
#pragma once

#include "os/listener.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/settings.hpp"
#include "tls/context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace unicoro::master {

/// What a worker process starts with, after the fork: signals are as in a new program (except that
/// SIGPIPE and SIGXFSZ are ignored), the master's descriptors are closed, privileges are dropped.
struct worker_launch {
    std::size_t slot;                         ///< its place in the scoreboard, nobody else's now
    std::uint64_t age;                        ///< counts the workers of this master, from 1
    std::span<const os::listener> listeners;  ///< all of them listen
    const scoreboard::table& board;
    int lifeline_fd;  ///< os::lifeline: ring when the slot's state has changed
    const settings::server_settings& settings;
    std::shared_ptr<const tls::context> certificates = {};  ///< null = clear text
    /// Where requests of each of `apps` are counted (scoreboard::counters); of `app` alone without those.
    std::vector<std::size_t> rows = {};
};

}  // namespace unicoro::master

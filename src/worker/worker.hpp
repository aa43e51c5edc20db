// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/settings.hpp"
#include "worker/accept_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace unicoro::worker {

/// What a worker process is started with, all of it owned by the caller.
struct launch {
    std::size_t slot;
    std::uint64_t age;  ///< counts the workers of the master, from 1
    const scoreboard::table& board;
    std::vector<listening_socket> listeners;
    int lifeline_fd;  ///< worker end of an os::lifeline; the master is rung when the slot's state changes
    const settings::server_settings& settings;
    /// Makes the application's host; on failure fills `error` and returns nothing.
    std::function<std::unique_ptr<app::host>(app::load_error& error)> make_host;
};

/// The whole life of a worker, after the fork. Returns its exit code: 0 after a graceful or ordered
/// end, 1 when its loop failed, 3 or 4 when it could not boot (app::boot_failure).
[[nodiscard]] int run(const launch& how);

}  // namespace unicoro::worker

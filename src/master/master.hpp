// SPDX-License-Identifier: MIT
#pragma once

#include "os/daemon.hpp"
#include "os/listener.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/settings.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unicoro::master {

/// What a worker process starts with, after the fork: signals are as in a new program (except that
/// SIGPIPE and SIGXFSZ are ignored), the master's descriptors are closed, privileges are dropped.
struct worker_launch {
    std::size_t slot;                         ///< its place in the scoreboard, nobody else's now
    std::uint64_t age;                        ///< counts the workers of this master, from 1
    std::uint64_t generation;                 ///< counts the settings in force, from 1
    std::span<const os::listener> listeners;  ///< all of them listen
    const scoreboard::table& board;
    int lifeline_fd;  ///< os::lifeline: ring when the slot's state has changed
    const settings::server_settings& settings;
};

/// The life of a worker; its result is the exit code (0, or 3 and 4 when it cannot boot).
using worker_entry = std::function<int(const worker_launch&)>;

/// The settings read anew, or every reason why they are not usable.
struct reload_outcome {
    std::shared_ptr<const settings::server_settings> settings;
    std::vector<std::string> errors;
};

/// What else lives in the master (an interpreter, for preloading and hooks) and is told what happens;
/// functions may be empty. None throws.
struct companion {
    /// Before the first worker; the exit code when the master cannot go on, which is logged.
    std::function<std::optional<int>(std::span<const os::listener> sockets)> start;
    std::function<void(std::uint64_t age)> before_fork;
    std::function<void(pid_t pid)> forked;  ///< on both sides: 0 in the worker, -1 when it failed
    std::function<void()> when_ready;
    std::function<void(std::span<const os::listener> sockets)> reloaded;
    std::function<void()> reopened_logs;
    std::function<void(pid_t pid, int status)> worker_ended;
    std::function<void(int number, int before)> workers_changed;
    std::function<void()> ending;
};

struct options {
    std::shared_ptr<const settings::server_settings> settings;
    worker_entry entry;

    /// Called on SIGHUP, in the master; leaves it in the working directory of the new settings.
    /// Without it every reload is refused.
    std::function<reload_outcome()> reload;

    /// Called in the master when settings that were read anew have taken over; also called in each
    /// worker born of them before that, so that it logs where it shall. May be empty.
    std::function<void(const settings::server_settings&)> adopt;

    master::companion companion;

    std::string version;
    std::string about;  ///< one more start-up line, if not empty

    /// After `os::daemonise`: told 0 when the workers serve, the exit code when it does not come to that.
    os::daemon_link* daemon = nullptr;
};

/// The whole life of the master: binds, starts the workers and keeps them until a signal ends it. The
/// error log must be open; `chdir` and `daemonise` come before. Returns the exit code: 0 after a stop by
/// signal, 1 when it cannot start (the log says why), 3 or 4 when the first workers cannot boot.
[[nodiscard]] int run(options chosen);

}  // namespace unicoro::master

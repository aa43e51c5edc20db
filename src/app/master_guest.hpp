// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace unicoro::app {

/// What of the application lives in the master and is inherited by its workers: preloaded code, server
/// hooks. Every call comes on the master's one thread; none throws, failures of hooks are logged.
class master_guest {
  public:
    master_guest() = default;
    master_guest(const master_guest&) = delete;
    master_guest& operator=(const master_guest&) = delete;
    virtual ~master_guest() = default;

    /// Before the first worker: the code is loaded, the hook on_starting has run.
    [[nodiscard]] virtual std::optional<load_error> start(std::span<const listening_address> sockets) = 0;

    /// Settings that were read anew have taken over; in a worker that is born of them before, too.
    virtual void adopt(const settings::server_settings& values) = 0;
    virtual void reopened_logs() = 0;

    /// In this order around every fork: `age` as in master::worker_launch; `pid` is 0 in the worker
    /// and -1 when there was none.
    virtual void before_fork(std::uint64_t age) = 0;
    virtual void forked(pid_t pid) = 0;

    /// In a worker: the host that goes on with what is there.
    [[nodiscard]] virtual std::unique_ptr<host> make_host() = 0;

    virtual void when_ready() = 0;
    virtual void reloaded(std::span<const listening_address> sockets) = 0;
    virtual void worker_ended(pid_t pid, int status) = 0;      ///< as waitpid(2) tells it
    virtual void workers_changed(int number, int before) = 0;  ///< before: 0 = there was none
    virtual void ending() = 0;
};

}  // namespace unicoro::app

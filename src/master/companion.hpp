// SPDX-License-Identifier: MIT
#pragma once

#include "master/boot_failure.hpp"
#include "os/listener.hpp"
#include "settings/settings.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>

namespace unicoro::master {

/// What else lives in the master (an interpreter, for preloading and hooks) and is told what happens.
/// Every call comes on the one thread of the master, or of a process that it has made to preload the
/// application; none throws. This one is told, and does nothing.
class companion {
  public:
    companion() = default;
    companion(const companion&) = delete;
    companion& operator=(const companion&) = delete;
    virtual ~companion() = default;

    /// Before the first worker; a failure ends the master.
    [[nodiscard]] virtual std::optional<load_error> start(std::span<const os::listener>) { return {}; }

    /// Settings that were read anew have taken over; in a worker that is born of them before, too.
    virtual void adopt(const settings::server_settings&) {}
    virtual void reopened_logs() {}

    /// In this order around every fork: `age` as in `worker_launch`; `pid` is 0 in the worker and -1
    /// when there was none.
    virtual void before_fork(std::uint64_t /*age*/) {}
    virtual void forked(pid_t /*pid*/) {}

    /// The master has a new worker that another process has forked.
    virtual void adopted(std::uint64_t /*age*/, pid_t /*pid*/) {}

    /// True when the application of these settings is to be loaded by a process that then forks the workers.
    [[nodiscard]] virtual bool preloads(const settings::server_settings&) { return false; }
    /// In that process: loads it. Forks follow, with the calls around them.
    [[nodiscard]] virtual std::optional<load_error>
    preload(const settings::server_settings&, std::span<const os::listener>) {
        return {};
    }
    /// It ends, without a worker of its own.
    virtual void unload() {}

    virtual void when_ready() {}
    virtual void reloaded(std::span<const os::listener>) {}
    /// An upgrade is about to start the new program.
    virtual void upgrading() {}
    virtual void worker_ended(pid_t /*pid*/, int /*status*/) {}      ///< as waitpid(2) tells it
    virtual void workers_changed(int /*number*/, int /*before*/) {}  ///< before: 0 = there was none
    virtual void ending() {}
};

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
#pragma once

#include "master/companion.hpp"
#include "master/monitor_launch.hpp"
#include "master/succession.hpp"
#include "master/worker_launch.hpp"
#include "os/daemon.hpp"
#include "os/program.hpp"
#include "settings/settings.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::master {

/// The life of a worker; its result is the exit code (0, or 3 and 4 when it cannot boot).
using worker_entry = std::function<int(const worker_launch&)>;

/// The life of the monitor; its result is the exit code.
using monitor_entry = std::function<int(const monitor_launch&)>;

/// The settings read anew, or every reason why they are not usable.
struct reload_outcome {
    std::shared_ptr<const settings::server_settings> settings;
    std::vector<std::string> errors;
};

struct options {
    std::shared_ptr<const settings::server_settings> settings;
    worker_entry entry;
    monitor_entry monitor;  ///< needed where settings have a monitor

    /// Called on SIGHUP, in the master; leaves it in the working directory of the new settings.
    /// Without it every reload is refused.
    std::function<reload_outcome()> reload;

    /// Called in the master when settings that were read anew have taken over; also called in each
    /// worker born of them before that, so that it logs where it shall. May be empty.
    std::function<void(const settings::server_settings&)> adopt;

    companion* guest = nullptr;  ///< may be none

    os::program begun;                 ///< as this process was, to be begun again by an upgrade
    std::optional<succession> former;  ///< what the program before has passed on

    std::string version;
    std::string about;  ///< one more start-up line, if not empty

    /// After `os::daemonise`: told 0 when the workers serve, the exit code when it does not come to that.
    os::daemon_link* daemon = nullptr;
};

/// How `run` came back: 0 after a stop by signal, 1 when the master cannot start (the log says why), 3 or 4
/// when the first workers cannot boot; or in a worker, whose process must end by this code, and soon.
struct ending {
    int code = 0;
    bool is_worker = false;
};

/// The whole life of the master: binds, starts the workers and keeps them until a signal ends it. The
/// error log must be open; `chdir` and `daemonise` come before. It comes back in each worker, too, at its
/// end.
[[nodiscard]] ending run(options chosen);

}  // namespace unicoro::master

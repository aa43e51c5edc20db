// SPDX-License-Identifier: MIT
#pragma once

#include "cli/main.hpp"
#include "os/program.hpp"
#include "settings/load.hpp"

namespace unicoro::cli {

/// Runs master and workers until a signal ends them. `request` is kept for reloads, and `begun`, which is how
/// this process was, for upgrades. Returns the exit code; in an interpreter it also returns in each worker.
[[nodiscard]] int run_server(
    const settings::load_request& request, settings::outcome first, const invocation& how, os::program begun
);

/// --check-config: loads the application as a worker would, and says whether that worked. Ends with the
/// code a start would end with: 3 or 4.
[[nodiscard]] int check_application(
    const settings::load_request& request,
    const settings::server_settings& values,
    app::python_process* python
);

}  // namespace unicoro::cli

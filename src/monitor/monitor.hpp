// SPDX-License-Identifier: MIT
#pragma once

#include "master/monitor_launch.hpp"

namespace unicoro::monitor {

/// The life of the process that tells others of the server: until SIGTERM, or the end of the master. Its
/// exit code. Runs no application; what it serves is a status_host, on the connections of a worker.
[[nodiscard]] int run(const master::monitor_launch& how);

}  // namespace unicoro::monitor

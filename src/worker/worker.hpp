// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "master/worker_launch.hpp"

#include <functional>
#include <memory>

namespace unicoro::worker {

/// Makes the application's host; on failure fills `error` and returns nothing.
using host_maker = std::function<std::unique_ptr<app::host>(app::load_error& error)>;

/// The whole life of a worker, after the fork. Returns its exit code: 0 after a graceful or ordered
/// end, 1 when its loop failed, 3 or 4 when it could not boot (master::boot_failure).
[[nodiscard]] int run(const master::worker_launch& how, const host_maker& make_host);

}  // namespace unicoro::worker

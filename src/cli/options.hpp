// SPDX-License-Identifier: MIT
#pragma once

#include "master/boot_failure.hpp"
#include "settings/load.hpp"

#include <iosfwd>
#include <optional>

namespace unicoro::cli {

/// Exit codes of the command itself; 3 and 4 are those of a worker that cannot boot.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_worker = static_cast<int>(master::boot_failure::worker);

/// Says on `err` what is wrong with the settings and what is doubtful, and answers on `out` what
/// can be answered without the application. Returns the exit code, or nothing when there is work
/// left: a server to run, or for --check-config and --print-config (whose lines are printed here)
/// an application to load.
[[nodiscard]] std::optional<int> answer(
    const settings::outcome& outcome, std::ostream& out, std::ostream& err
);

}  // namespace unicoro::cli

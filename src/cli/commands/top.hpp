// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/arguments.hpp"
#include "cli/commands/trouble.hpp"

#include <string>

namespace unicoro::cli {

/// `unicoro top`: on a terminal until q, a signal or --count, else a line for each look. The terminal is as
/// it was when this comes back or a signal ends the process.
[[nodiscard]] attempt<int> run_top(const command_call& call, const std::string& program);

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/arguments.hpp"
#include "cli/commands/trouble.hpp"

#include <ostream>
#include <string>

namespace unicoro::cli {

/// `unicoro reload`, `stop`, `workers` and `upgrade`: sends the signal, waits for the outcome where it can be
/// known, and tells it on `out`.
[[nodiscard]] attempt<int> run_act(const command_call& call, const std::string& program, std::ostream& out);

/// The value of a sample without a time stamp in Prometheus' text; `name` with its labels.
[[nodiscard]] std::optional<double> sample_of(std::string_view metrics, std::string_view name);

}  // namespace unicoro::cli

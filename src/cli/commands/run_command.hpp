// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::cli {

/// What `unicoro COMMAND` does (docs/commands.md), and its exit code; nothing when the first argument is no
/// command. `arguments` begin with the path of the program.
[[nodiscard]] std::optional<int> run_command(
    const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err
);

}  // namespace unicoro::cli

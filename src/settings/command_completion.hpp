// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace unicoro::settings {

/// The parts of the completions that are of the commands.

/// Bash: what sets `words` to what can follow the command that the line has, and else to nothing; and what
/// sets it by the flag in `flag`, or returns to let Readline complete a file, or nothing.
[[nodiscard]] std::string bash_words_of_commands();
[[nodiscard]] std::string bash_values_of_commands();

/// Zsh: the branches of a `case` over the command.
[[nodiscard]] std::string zsh_commands();

/// Fish: lines for each, under the condition __unicoro_command.
[[nodiscard]] std::string fish_commands();

/// All of them, separated by blanks.
[[nodiscard]] std::string names_of_commands();

}  // namespace unicoro::settings

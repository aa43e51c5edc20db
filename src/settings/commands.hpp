// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace unicoro::settings {

/// What a word in the place of the first argument does instead of serving an application of that name;
/// NAME:application still serves.
struct command {
    std::string_view name;
    std::string_view argument;  ///< that it takes, empty for none
    std::string_view words;     ///< that the argument can be, separated by blanks
    std::string_view help;      ///< without a full stop
    bool acts = false;          ///< on the server, by a signal; others look at it
};

/// A flag of commands.
struct command_flag {
    std::string_view flags;    ///< "-c,--config"
    std::string_view metavar;  ///< of its value; empty for a switch
    std::string_view words;    ///< that the value can be, separated by blanks; empty for others
    std::string_view help;     ///< without a full stop
    std::string_view of;       ///< the commands that have it, separated by blanks; empty for all
};

/// The tables that the commands, their help, the manual page and the completions are made from.
[[nodiscard]] std::span<const command> commands() noexcept;
[[nodiscard]] std::span<const command_flag> command_flags() noexcept;

/// None where the word is no command.
[[nodiscard]] const command* find_command(std::string_view word) noexcept;

[[nodiscard]] bool has_flag(const command& which, const command_flag& flag) noexcept;

/// Whether `word` is among `words`, which are separated by `separator`.
[[nodiscard]] bool is_one_of(std::string_view word, std::string_view words, char separator) noexcept;

}  // namespace unicoro::settings

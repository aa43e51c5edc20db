// SPDX-License-Identifier: MIT
#pragma once

#include "settings/commands.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unicoro::cli {

/// How a command was called (docs/commands.md).
struct command_call {
    const settings::command* which = nullptr;
    std::string argument;  ///< "+1", say
    std::optional<std::string> admin;
    std::optional<std::string> config;
    std::optional<std::string> pidfile;
    std::optional<pid_t> pid;
    std::optional<pid_t> worker;
    std::optional<std::string> token_file;
    std::string sort = "worker";
    std::chrono::milliseconds interval{1000};
    std::chrono::milliseconds timeout{60'000};
    std::size_t count = 0;  ///< 0 = no end
    bool json = false;
    bool waits = true;
    bool help = false;
    std::vector<std::string> problems;  ///< each a whole sentence; the call is none then
};

/// `words` follow the name of the command.
[[nodiscard]] command_call read_call(const settings::command& which, std::span<const std::string> words);

/// The text of --help.
[[nodiscard]] std::string help_of_command(const settings::command& which);

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/admin_address.hpp"
#include "cli/commands/arguments.hpp"
#include "cli/commands/trouble.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

namespace unicoro::cli {

/// The server that a command means.
struct found_server {
    std::optional<pid_t> master = {};
    std::optional<admin_address> admin = {};
    std::optional<std::string> token = {};
    std::string unseen = {};  ///< why there is no address
};

/// By its process where one is named or found, else by its address. A server that has no address is found
/// all the same, with a master. `program` is the path of this one.
[[nodiscard]] attempt<found_server> find_server(const command_call& call, const std::string& program);

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/admin_address.hpp"
#include "cli/commands/trouble.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::cli {

/// The master of a server, as /proc shows it.
struct master_process {
    pid_t pid = 0;
    std::string title;  ///< fit for a terminal
};

/// Those of the effective user, the lowest pid first; without trials of an upgrade, which are children of
/// one.
[[nodiscard]] std::vector<master_process> own_masters();

/// Whether this process is one, whoever's.
[[nodiscard]] bool is_master(pid_t pid);

/// Where the monitor of this master listens, the best to ask first, as the kernel tells of its sockets.
[[nodiscard]] attempt<std::vector<admin_address>> admin_sockets(pid_t master);

/// A line of /proc/net/tcp or tcp6 and what it says: none unless it is of a socket that listens.
struct listening_tcp {
    std::string inode;
    admin_address address;
};
[[nodiscard]] std::optional<listening_tcp> read_tcp_line(std::string_view line);

/// The same of /proc/net/unix; the path is as it was bound.
struct listening_unix {
    std::string inode;
    std::string path;
};
[[nodiscard]] std::optional<listening_unix> read_unix_line(std::string_view line);

}  // namespace unicoro::cli

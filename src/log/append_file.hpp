// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

namespace unicoro::log {

/// Whom a log file is given to when it is made.
struct file_owner {
    std::optional<uid_t> user;
    std::optional<gid_t> group;
};

/// A file open for append, or the reason why there is none.
struct append_file {
    base::unique_fd fd;
    std::string problem;
};

/// What becomes of a pipe that nobody reads yet: whoever starts may wait for its reader, whoever serves
/// must not.
enum class unread_pipe { wait, refuse };

/// Opens the file, makes it where there is none, and gives only one that it has made to `owner`. Root is
/// led to no other file than the one that is named: where others can write the folder, or the file is
/// for somebody else, what stands there must be a regular file without another name, and no link.
[[nodiscard]] append_file open_for_append(
    const std::string& path, const file_owner& owner, unread_pipe at_pipe
);

}  // namespace unicoro::log

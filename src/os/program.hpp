// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::os {

/// How a process was begun, so that the same can be begun again from what the files are by then.
struct program {
    std::vector<std::string> command;      ///< the first word is an absolute path, with the links in it
    std::vector<std::string> environment;  ///< "NAME=value"
    std::string directory;                 ///< absolute, entered by this name

    /// Without these variables.
    void forget(std::span<const std::string_view> names);
    /// In the place of one of the same name.
    void set(std::string_view name, std::string_view value);
};

/// The environment of this process as it is now, in the form of `program`.
[[nodiscard]] std::vector<std::string> current_environment();

/// The program in the place of this process, which keeps its pid, its children, its blocked signals and these
/// descriptors. Comes back only when that fails, with everything as it was but the folder, which the caller
/// enters again. Standard C output is flushed first.
[[nodiscard]] failure become_program(const program& what, std::span<const int> kept);

/// The program in a child with these descriptors beside its own standard streams: it reads nothing, and what
/// it prints goes to `output`. It is sent SIGTERM when this process ends first. Fails when it cannot begin.
[[nodiscard]] outcome<pid_t> start_program(const program& what, std::span<const int> kept, int output);

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "app/python_process.hpp"

#include <string>
#include <vector>

namespace unicoro::cli {

/// How the command was called.
struct invocation {
    std::vector<std::string> arguments;     ///< the first is the path it was executed by, absolute
    std::vector<std::string> program;       ///< what to execute to call it again, absolute as well
    app::python_process* python = nullptr;  ///< in a process that is one
    bool embedded = false;                  ///< the program that this is says what counts, not the words
    bool launched = false;                  ///< by `become_python`, which has told of the settings
    int answers = -1;                       ///< of settings files (python_answers), taken over
};

/// The version of this library and what its objects are made with (unicoro/abi.hpp): a module must be built
/// with the same.
[[nodiscard]] const std::string& build_tag();

/// The whole command. Returns the exit code: 0 ok, 1 runtime failure, 2 wrong settings, 3 a worker
/// could not boot, 4 the application could not be loaded. In a process that is no Python it may become one
/// and not return; in one that is, it also returns in each worker, whose exit code it is.
[[nodiscard]] int run(const invocation& how);

}  // namespace unicoro::cli

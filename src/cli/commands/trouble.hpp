// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <string>
#include <utility>

namespace unicoro::cli {

/// Exit codes of commands (docs/commands.md); 0 and 2 are those of cli/options.hpp.
inline constexpr int exit_not_so = 1;       ///< not ready; failed; not in time
inline constexpr int exit_not_reached = 3;  ///< no server, or none that answers as it should

/// Why a command cannot go on: the exit code, and a sentence for the operator.
struct trouble {
    trouble() = default;
    trouble(int exit_code, std::string why, bool was_interrupted = false)
        : code(exit_code), text(std::move(why)), interrupted(was_interrupted) {}

    int code = exit_not_reached;
    std::string text;
    bool interrupted = false;  ///< by a signal or a key, and nothing is wrong
};

template <class T>
using attempt = boost::system::result<T, trouble>;

}  // namespace unicoro::cli

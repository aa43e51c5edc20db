// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::os {

/// A program run for one answer, which it writes to a descriptor.
struct helper {
    enum class ending { end_of_file, first_line };

    std::vector<std::string> arguments;                        ///< the first is the path of the executable
    std::string directory = {};                                ///< empty = as here
    std::optional<std::vector<std::string>> environment = {};  ///< "NAME=VALUE"; none = as here
    /// Its number in the program. When it is not standard output, that goes to our standard error.
    int answer_fd = STDOUT_FILENO;
    ending answer_ends = ending::end_of_file;
    std::chrono::milliseconds patience{10'000};
};

/// What came of it.
struct helper_answer {
    std::optional<std::string> text;  ///< nothing = it took too long and was killed
    int status = 0;                   ///< as waitpid(2) tells it
};

/// Runs the program to its end. It starts with no signal blocked or ignored, and reads nothing.
[[nodiscard]] outcome<helper_answer> ask_helper(const helper& asked);

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "cli/commands/trouble.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::cli {

/// What /stacks says. Texts are as they came: whoever shows them makes them fit for a terminal.
struct stacks_view {
    struct call {
        std::string file;
        std::int64_t line = 0;
        std::string function;
        std::string code;
    };
    struct request {
        std::int64_t pid = 0;
        double age = 0;
        std::string method;
        std::string path;
        std::string stage;
        std::string id;
        std::string runs_in;
        bool holds_loop = false;
        std::string why;  ///< there is no stack; empty where there is
        std::vector<call> calls = {};
    };
    std::vector<std::pair<std::int64_t, std::string>> workers;  ///< by pid, how each has answered
    std::vector<request> listed = {};
    std::int64_t unlisted = 0;
};

[[nodiscard]] attempt<stacks_view> read_stacks(std::string_view json);

/// As lines of printable ASCII.
[[nodiscard]] std::vector<std::string> lines_of(const stacks_view& of);

}  // namespace unicoro::cli

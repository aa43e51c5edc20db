// SPDX-License-Identifier: MIT
#include "cli/main.hpp"

#include "os/process.hpp"

int main(int argc, char** argv) {
    unicoro::cli::invocation how;
    how.arguments.assign(argv, argv + argc);
    if (how.arguments.empty()) how.arguments.emplace_back();
    how.arguments.front() = unicoro::os::executed_path();
    how.program = how.arguments;
    return unicoro::cli::run(how);
}

// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::cli {

/// The whole command. Returns the exit code: 0 ok, 1 runtime failure, 2 wrong settings, 3 a worker
/// could not boot, 4 the application could not be loaded.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#include "cli/application_folder.hpp"

#include "os/failure.hpp"

#include <unistd.h>

namespace unicoro::cli {

std::optional<std::string> enter_directory(
    const std::filesystem::path& start, const settings::server_settings& values
) {
    const std::filesystem::path target = values.chdir ? start / *values.chdir : start;
    if (target.empty() || chdir(target.c_str()) == 0) return std::nullopt;
    // Without `chdir` it has always been possible to go on from a folder that is gone.
    if (!values.chdir) return std::nullopt;
    return "chdir " + *values.chdir + ": " + os::last_error().message() + " (" + target.string() + ")";
}

}  // namespace unicoro::cli

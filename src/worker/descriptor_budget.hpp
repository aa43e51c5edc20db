// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <algorithm>
#include <cstddef>

namespace unicoro::worker {

/// Of a connection: one more where it may be sent a file.
[[nodiscard]] inline std::size_t descriptors_of_connection(const settings::server_settings& values) noexcept {
    return values.files.static_folders.empty() && values.files.static_internal.empty() ? 1 : 2;
}

/// How many of a process's descriptors may be connections, so that the application can still open files
/// when all of them are there.
struct descriptor_budget {
    std::size_t limit = 0;  ///< RLIMIT_NOFILE
    std::size_t open = 0;   ///< in use before the first connection
    std::size_t each = 1;   ///< descriptors_of_connection

    /// Left to the application, and to bodies kept in files.
    [[nodiscard]] std::size_t reserve() const noexcept { return std::min<std::size_t>(limit / 4, 256); }

    [[nodiscard]] std::size_t connections() const noexcept {
        const std::size_t taken = open + reserve();
        return limit > taken + each ? (limit - taken) / each : 1;
    }
};

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace unicoro::settings {

/// What is to be seen of the server from outside (docs/monitoring.md).
struct monitoring_settings {
    std::optional<std::string> health_path;  ///< of the public sockets; none = there is none
    bool health_access_log = true;           ///< requests for it are logged as others are
};

}  // namespace unicoro::settings

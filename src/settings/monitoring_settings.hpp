// SPDX-License-Identifier: MIT
#pragma once

#include "settings/address.hpp"

#include <optional>
#include <string>
#include <vector>

namespace unicoro::settings {

/// What is to be seen of the server from outside (docs/monitoring.md).
struct monitoring_settings {
    std::optional<std::string> health_path;      ///< of the public sockets; none = there is none
    bool health_access_log = true;               ///< requests for it are logged as others are
    std::vector<bind_address> admin_bind;        ///< where the monitor is asked by HTTP
    std::optional<std::string> admin_token;      ///< of who comes neither over loopback nor a unix socket
    int ready_workers = 1;                       ///< fewer than these are not enough for /readyz
    std::vector<bind_address> agent_check_bind;  ///< where it answers HAProxy's agent checks
    bool endpoint_load_metrics = false;          ///< responses tell of the load to those who ask

    /// The server has a process that tells others of it.
    [[nodiscard]] bool has_monitor() const noexcept {
        return !admin_bind.empty() || !agent_check_bind.empty();
    }
};

}  // namespace unicoro::settings

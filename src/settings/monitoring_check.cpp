// SPDX-License-Identifier: MIT
#include "settings/monitoring_check.hpp"

#include "settings/path_prefix.hpp"

namespace unicoro::settings {

void check_monitoring(
    const server_settings& settings,
    const std::function<std::string(std::string_view name)>& where,
    verdict& into
) {
    const monitoring_settings& values = settings.monitoring;
    const auto fail = [&](std::string_view name, const std::string& text) {
        into.errors.push_back(where(name) + ": " + text);
    };
    if (!values.health_path) return;
    const std::string problem = path_prefix_problem(*values.health_path);
    if (!problem.empty()) fail("health_path", problem);
    if (*values.health_path == "/") fail("health_path", "\"/\" is the application's: take /healthz, say");
}

}  // namespace unicoro::settings

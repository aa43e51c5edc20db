// SPDX-License-Identifier: MIT
#include "settings/settings.hpp"

namespace unicoro::settings {

bool shapes_logging(const server_settings& settings) noexcept {
    return settings.logger_class != default_logger_class || settings.logconfig || settings.logconfig_json ||
           settings.logconfig_dict != "{}";
}

std::string describe_applications(const server_settings& settings) {
    if (settings.apps.empty()) return settings.app;
    std::string text;
    for (auto each = settings.apps.rbegin(); each != settings.apps.rend(); ++each) {
        text += (text.empty() ? "" : ", ") + each->first + ": " + each->second;
    }
    return text;
}

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

namespace unicoro::settings {

/// Which files the server answers with; the names are those of the settings.
struct file_settings {
    std::map<std::string, std::string> static_folders;        ///< by path prefix (`static`)
    std::map<std::string, std::string> static_internal;       ///< the same, for answers of applications alone
    std::map<std::string, std::string> static_cache_control;  ///< by pattern of paths
    bool x_accel_redirect = false;
    bool x_sendfile = false;
};

}  // namespace unicoro::settings

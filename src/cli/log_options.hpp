// SPDX-License-Identifier: MIT
#pragma once

#include "log/open.hpp"
#include "os/identity.hpp"
#include "settings/settings.hpp"

namespace unicoro::cli {

/// Where the settings want the logs; the files belong to `owner`, so that workers may reopen them.
[[nodiscard]] log::options log_options(const settings::server_settings& values, const os::privileges& owner);

}  // namespace unicoro::cli

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/cross_check.hpp"

namespace unicoro::settings {

/// The part of `cross_check` that concerns what is seen of the server from outside.
void check_monitoring(
    const server_settings& settings,
    const std::function<std::string(std::string_view name)>& where,
    verdict& into
);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"

#include <memory>

namespace unicoro::app {

/// The host for the application that the settings name. On failure fills `error` and returns nothing.
[[nodiscard]] std::unique_ptr<host> make_host(
    const settings::server_settings& values, load_error& error
);

}  // namespace unicoro::app

// SPDX-License-Identifier: MIT
#pragma once

#include "app/master_guest.hpp"

#include <memory>
#include <string>

namespace unicoro::app {

/// The host for the application that the settings name, whose part in Python goes on from what the master
/// has of it. On failure fills `error` and returns nothing.
[[nodiscard]] std::unique_ptr<host> make_host(
    const settings::server_settings& values, load_error& error, master_guest* guest
);

/// True when an application of these settings is Python's.
[[nodiscard]] bool has_python(const settings::server_settings& values);

/// True when Python code is called in the master: a hook that is called there.
[[nodiscard]] bool calls_python_in_master(const settings::server_settings& values);

/// True when the process must be a Python interpreter.
[[nodiscard]] bool needs_python(const settings::server_settings& values);

}  // namespace unicoro::app

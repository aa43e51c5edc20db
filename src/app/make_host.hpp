// SPDX-License-Identifier: MIT
#pragma once

#include "app/master_guest.hpp"

#include <memory>
#include <string>

namespace unicoro::app {

/// The host for the application that the settings name; in a worker of a master that has a guest, the
/// part in Python goes on from that. On failure fills `error` and returns nothing.
[[nodiscard]] std::unique_ptr<host> make_host(
    const settings::server_settings& values, load_error& error, master_guest* guest = nullptr
);

/// Does once, before workers are forked, what each would do: finds out about the interpreter. Not for
/// workers that become another user, because it runs what that user may have written. Gives the start-up
/// line about it, or "".
[[nodiscard]] std::string prepare_hosts(const settings::server_settings& values);

/// True when an application of these settings is Python's.
[[nodiscard]] bool has_python(const settings::server_settings& values);

/// True when the master must hold what the applications are written in: preload_app, or a hook that
/// is called in the master.
[[nodiscard]] bool needs_master_guest(const settings::server_settings& values);

}  // namespace unicoro::app

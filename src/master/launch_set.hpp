// SPDX-License-Identifier: MIT
#pragma once

#include "master/encryption.hpp"
#include "master/readings.hpp"
#include "os/identity.hpp"
#include "os/inherited.hpp"
#include "os/listener.hpp"
#include "os/unique_fd.hpp"
#include "settings/settings.hpp"

#include <memory>
#include <span>
#include <vector>

namespace unicoro::master {

/// One address of `bind` with its socket.
struct bound_listener {
    settings::bind_address asked;
    os::listener socket;
};

/// Everything that workers of one generation are started with.
struct launch_set {
    generation_id id = 0;
    std::shared_ptr<const settings::server_settings> settings;
    os::privileges privileges;
    std::vector<bound_listener> listeners;
    std::vector<bound_listener> admin;  ///< the monitor's: of admin_bind, then of agent_check_bind
    std::vector<std::size_t> rows;      ///< worker_launch's
    certificate_set certificates;
    os::unique_fd directory;  ///< where `chdir` led, or the server was started

    void enter_directory() const noexcept;

    /// The two kinds of `admin`.
    [[nodiscard]] std::span<const bound_listener> asked_by_http() const noexcept;
    [[nodiscard]] std::span<const bound_listener> asked_by_balancers() const noexcept;
};

/// The id of the set with the sockets that a successor was passed.
inline constexpr generation_id former_set = 0;

/// The sockets of a set alone.
[[nodiscard]] std::vector<os::listener> sockets_of(const launch_set& set);

/// Resolves `user`, `group` and `initgroups`. A user without `group` gets the primary group of the user
/// database, so that no worker keeps the group of root by accident.
[[nodiscard]] os::outcome<os::privileges> wanted_privileges(const settings::server_settings& values);

/// The sockets systemd passed, if any; then `bind` is ignored.
[[nodiscard]] os::outcome<std::vector<bound_listener>> activated_listeners(
    const std::vector<os::manager_socket>& passed, const settings::server_settings& values
);

/// What becomes of a socket that is kept: settings in force now apply to it, or nothing changes.
enum class keeping { adjusted, untouched };

/// Opens what `bind` names. Addresses that `kept` already has keep their socket and get the new backlog
/// and rights; nothing stays open or in the file system after a failure.
[[nodiscard]] os::outcome<std::vector<bound_listener>> open_listeners(
    const settings::server_settings& values,
    const os::privileges& owner,
    const std::vector<bound_listener>& kept,
    keeping how = keeping::adjusted
);

/// The same for `admin_bind` and `agent_check_bind`; a failure names the setting. Files of unix sockets are
/// for their owner and group alone, whatever `umask` says.
[[nodiscard]] os::outcome<std::vector<bound_listener>> open_admin_listeners(
    const settings::server_settings& values,
    const os::privileges& owner,
    const std::vector<bound_listener>& kept
);

/// Both kinds.
[[nodiscard]] std::vector<bound_listener> all_listeners(const launch_set& set);

/// Removes the files of sockets in `gone` that `staying` does not share.
void remove_paths(
    const std::vector<bound_listener>& gone, const std::vector<bound_listener>& staying
) noexcept;

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
#pragma once

#include "master/launch_set.hpp"
#include "os/inherited.hpp"
#include "os/notify.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace unicoro::master {

/// The sockets that this server has bound, kept by the service manager over a restart (systemd:
/// FileDescriptorStoreMax=). Each is there under a name made of its address in `bind`, by which the next
/// start finds it. Does nothing where the manager does not say that it has a store (FDSTORE).
class socket_store {
  public:
    /// Takes FDSTORE out of the environment. `notifier` must outlive the store.
    explicit socket_store(const os::service_notifier& notifier);

    [[nodiscard]] bool active() const noexcept { return active_; }

    /// What a former start has left for addresses of `bind`; taken out of `passed`. The rest leaves the
    /// store.
    [[nodiscard]] std::vector<bound_listener> resume(
        std::vector<os::manager_socket>& passed, const settings::server_settings& values
    );

    /// Those of a former start cannot be used after all.
    void forget();

    /// The program before has stored these.
    void assume(const std::vector<bound_listener>& stored);

    /// From now on these are there, and nothing else.
    void keep(const std::vector<bound_listener>& sockets);

    /// The name in the store; none of a socket that is not for it.
    [[nodiscard]] static std::optional<std::string> name_of(const settings::bind_address& asked);

  private:
    void send(const std::string& lines, std::optional<int> fd) const;
    void remove(const std::string& name) const;

    const os::service_notifier& notifier_;
    bool active_ = false;
    std::set<std::string> names_;
};

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
#include "master/launch_set.hpp"

#include "log/log.hpp"
#include "settings/bind_address.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace unicoro::master {
namespace {

using settings::bind_address;
using settings::server_settings;

bool same_address(const bind_address& left, const bind_address& right) noexcept {
    return left.type == right.type && left.host == right.host && left.port == right.port &&
           left.path == right.path && left.fd == right.fd;
}

// A socket that takes IPv4 connections too would be in the way of one for IPv4 alone.
std::optional<bool> wanted_ipv6_only(const bind_address& asked, const server_settings& values) {
    using settings::ipv6_only_mode;
    if (values.ipv6_only != ipv6_only_mode::system) return values.ipv6_only == ipv6_only_mode::on;
    const auto beside = [&asked](const bind_address& other) {
        return settings::is_ipv4(other) && other.port == asked.port;
    };
    if (!settings::is_any_ipv6(asked) || asked.port == 0) return std::nullopt;
    if (std::ranges::any_of(values.bind, beside)) return true;
    return std::nullopt;
}

os::outcome<os::listener> open_one(
    const bind_address& asked, const server_settings& values, const os::privileges& owner
) {
    switch (asked.type) {
        case bind_address::kind::tcp: {
            const auto ipv6_only = wanted_ipv6_only(asked, values);
            return os::listen_tcp({asked.host, asked.port, values.backlog, values.reuse_port, ipv6_only});
        }
        case bind_address::kind::unix_path:
            return os::listen_unix({asked.path, values.backlog, values.umask, owner.uid, owner.gid});
        case bind_address::kind::inherited_fd: break;
    }
    return os::adopt_listener(asked.fd, values.backlog);
}

os::outcome<os::listener> keep_one(
    const bound_listener& known, const server_settings& values, const os::privileges& owner, keeping how
) {
    const os::listener& socket = known.socket;
    const bool tcp = known.asked.type == bind_address::kind::tcp;
    if (tcp && socket.shares_port() != values.reuse_port) {
        return os::failure{
            os::system_error(EINVAL),
            std::string("reuse_port cannot be switched ") + (values.reuse_port ? "on" : "off") + " while " +
                socket.text() + " is in use; restart instead"
        };
    }
    if (settings::is_any_ipv6(known.asked)) {
        const bool only = wanted_ipv6_only(known.asked, values).value_or(os::ipv6_only_by_default());
        if (only != socket.ipv6_only()) {
            return os::failure{
                os::system_error(EINVAL),
                socket.text() + (only ? " takes" : " does not take") +
                    " IPv4 connections, which cannot change while it is in use (ipv6_only, or an IPv4 "
                    "address of the same port); restart instead"
            };
        }
    }
    if (how == keeping::untouched) return socket;
    if (const error_code failed = socket.set_backlog(values.backlog)) {
        return os::make_failure(failed, "cannot apply backlog to " + socket.text());
    }
    if (const error_code failed = socket.set_path_rights({values.umask, owner.uid, owner.gid})) {
        return os::make_failure(failed, "cannot apply umask, user or group to " + socket.text());
    }
    return socket;
}

}  // namespace

void launch_set::enter_directory() const noexcept {
    // It was the working directory once, so there is nothing that could forbid it but a new owner.
    if (directory && fchdir(directory.get()) != 0) {
        log::error("Cannot go back to the directory of the settings: {}", os::last_error().message());
    }
}

// In a trial there are none, whatever the settings say.
std::span<const bound_listener> launch_set::asked_by_http() const noexcept {
    return std::span(admin).first(std::min(settings->monitoring.admin_bind.size(), admin.size()));
}

std::span<const bound_listener> launch_set::asked_by_balancers() const noexcept {
    return std::span(admin).subspan(asked_by_http().size());
}

std::vector<os::listener> sockets_of(const launch_set& set) {
    std::vector<os::listener> sockets;
    sockets.reserve(set.listeners.size());
    for (const bound_listener& each : set.listeners) sockets.push_back(each.socket);
    return sockets;
}

os::outcome<os::privileges> wanted_privileges(const server_settings& values) {
    os::privileges wanted;
    if (values.user) {
        auto user = os::find_user(*values.user);
        if (!user) return user.error();
        wanted.uid = user->uid;
        wanted.gid = user->primary_group;
        wanted.user_name = std::move(user->name);
        wanted.home = std::move(user->home);
        if (values.initgroups) wanted.groups = os::privileges::extra_groups::of_user;
    }
    if (values.group) {
        const auto group = os::find_group(*values.group);
        if (!group) return group.error();
        wanted.gid = *group;
    }
    return wanted;
}

os::outcome<std::vector<bound_listener>> activated_listeners(
    const std::vector<os::manager_socket>& passed, const server_settings& values
) {
    auto sockets = os::adopt_listeners(passed, values.backlog);
    if (!sockets) return sockets.error();
    std::vector<bound_listener> made;
    for (os::listener& socket : *sockets) {
        bind_address asked;
        asked.type = bind_address::kind::inherited_fd;
        asked.fd = socket.fd();
        asked.text = "fd://" + std::to_string(socket.fd());
        made.push_back({std::move(asked), std::move(socket)});
    }
    return made;
}

namespace {

os::outcome<std::vector<bound_listener>> open_all(
    const std::vector<bind_address>& addresses,
    const server_settings& values,
    const os::privileges& owner,
    const std::vector<bound_listener>& kept,
    keeping how
) {
    std::vector<bound_listener> made;
    for (const bind_address& asked : addresses) {
        const auto known = std::ranges::find_if(kept, [&asked](const bound_listener& each) {
            return same_address(each.asked, asked);
        });
        auto opened =
            known == kept.end() ? open_one(asked, values, owner) : keep_one(*known, values, owner, how);
        if (!opened) {
            remove_paths(made, kept);
            return opened.error();
        }
        made.push_back({asked, std::move(*opened)});
    }
    return made;
}

}  // namespace

os::outcome<std::vector<bound_listener>> open_listeners(
    const server_settings& values,
    const os::privileges& owner,
    const std::vector<bound_listener>& kept,
    keeping how
) {
    return open_all(values.bind, values, owner, kept, how);
}

os::outcome<std::vector<bound_listener>> open_admin_listeners(
    const server_settings& values, const os::privileges& owner, const std::vector<bound_listener>& kept
) {
    constexpr unsigned not_for_others = 0117;
    server_settings own = values;
    own.umask |= not_for_others;
    own.reuse_port = false;
    const settings::monitoring_settings& places = values.monitoring;
    own.bind = places.admin_bind;
    own.bind.insert(own.bind.end(), places.agent_check_bind.begin(), places.agent_check_bind.end());
    auto made = open_all(places.admin_bind, own, owner, kept, keeping::adjusted);
    if (!made) return os::failure{made.error().code, "admin_bind: " + made.error().message};
    auto others = open_all(places.agent_check_bind, own, owner, kept, keeping::adjusted);
    if (!others) {
        remove_paths(*made, kept);
        return os::failure{others.error().code, "agent_check_bind: " + others.error().message};
    }
    std::ranges::move(*others, std::back_inserter(*made));
    return made;
}

std::vector<bound_listener> all_listeners(const launch_set& set) {
    std::vector<bound_listener> all = set.listeners;
    all.insert(all.end(), set.admin.begin(), set.admin.end());
    return all;
}

void remove_paths(
    const std::vector<bound_listener>& gone, const std::vector<bound_listener>& staying
) noexcept {
    for (const bound_listener& each : gone) {
        const auto same = [&each](const bound_listener& other) {
            return other.socket.fd() == each.socket.fd();
        };
        if (std::ranges::none_of(staying, same)) each.socket.remove_path();
    }
}

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
#include "master/socket_store.hpp"

#include "log/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace unicoro::master {
namespace {

constexpr std::string_view prefix = "unicoro@";
constexpr std::size_t longest_name = 255;  // systemd's

bool says_that_there_is_one() {
    const char* const most = std::getenv("FDSTORE");
    const bool any = most != nullptr && std::atoi(most) > 0;
    unsetenv("FDSTORE");
    return any;
}

// systemd's names are printable and without colons.
std::string encoded(std::string_view text) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/[]";
    std::string made;
    for (const char each : text) {
        if (plain.find(each) != std::string_view::npos) {
            made += each;
        } else {
            made += fmt::format("%{:02x}", static_cast<unsigned char>(each));
        }
    }
    return made;
}

}  // namespace

socket_store::socket_store(const os::service_notifier& notifier)
    : notifier_(notifier), active_(says_that_there_is_one() && notifier.active()) {}

std::optional<std::string> socket_store::name_of(const settings::bind_address& asked) {
    using kind = settings::bind_address::kind;
    std::string name(prefix);
    switch (asked.type) {
        case kind::tcp: name += encoded(asked.host + ":" + std::to_string(asked.port)); break;
        case kind::unix_path: name += encoded("unix:" + asked.path); break;
        case kind::inherited_fd: return std::nullopt;
    }
    if (name.size() > longest_name) return std::nullopt;
    return name;
}

std::vector<bound_listener> socket_store::resume(
    std::vector<os::manager_socket>& passed, const settings::server_settings& values
) {
    std::vector<bound_listener> found;
    std::erase_if(passed, [&](const os::manager_socket& each) {
        if (!each.name.starts_with(prefix)) return false;
        const auto bind = std::ranges::find_if(values.bind, [&each](const settings::bind_address& asked) {
            return name_of(asked) == each.name;
        });
        if (bind == values.bind.end() || names_.contains(each.name)) {
            close(each.fd);
            remove(each.name);
            return true;
        }
        os::passed_socket socket{each.fd, {}};
        if (bind->type == settings::bind_address::kind::unix_path) socket.path = bind->path;
        auto resumed = os::resume_listener(socket);
        if (!resumed) {
            log::warning("{}: it is opened anew", resumed.error().message);
            remove(each.name);
            return true;
        }
        names_.insert(each.name);
        found.push_back({*bind, std::move(*resumed)});
        return true;
    });
    return found;
}

void socket_store::forget() {
    for (const std::string& name : names_) remove(name);
    names_.clear();
}

void socket_store::assume(const std::vector<bound_listener>& stored) {
    for (const bound_listener& each : stored) {
        if (auto name = name_of(each.asked)) names_.insert(std::move(*name));
    }
}

void socket_store::keep(const std::vector<bound_listener>& sockets) {
    if (!active_) return;
    std::set<std::string> wanted;
    for (const bound_listener& each : sockets) {
        const auto name = name_of(each.asked);
        if (!name || !wanted.insert(*name).second) continue;
        if (names_.contains(*name)) continue;
        // What a former start may have left there under the name is another socket.
        remove(*name);
        send("FDSTORE=1\nFDNAME=" + *name + "\n", each.socket.fd());
    }
    for (const std::string& name : names_) {
        if (!wanted.contains(name)) remove(name);
    }
    names_ = std::move(wanted);
}

void socket_store::remove(const std::string& name) const {
    send("FDSTOREREMOVE=1\nFDNAME=" + name + "\n", std::nullopt);
}

void socket_store::send(const std::string& lines, std::optional<int> fd) const {
    if (const error_code failed = notifier_.send(lines, fd)) {
        log::warning("Cannot tell the service manager of a socket: {}", failed.message());
    }
}

}  // namespace unicoro::master

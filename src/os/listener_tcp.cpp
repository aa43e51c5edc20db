// SPDX-License-Identifier: MIT
#include "os/descriptors.hpp"
#include "os/listener.hpp"
#include "os/socket_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>

namespace unicoro::os {
namespace {

std::string asked_text(const tcp_request& asked) {
    std::string host = asked.host.empty() ? "0.0.0.0" : asked.host;
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return host + ":" + std::to_string(asked.port);
}

// The first port that anybody may take (ip(7)).
int first_free_port() {
    std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    int port = 1024;
    return file >> port ? port : 1024;
}

// What can be done about an address that cannot be had; empty when that is plain.
std::string remedy(error_code failed, const tcp_request& asked) {
    if (failed == system_error(EACCES) && asked.port < first_free_port()) {
        return ". Ports below " + std::to_string(first_free_port()) +
               " are reserved for root: use a higher one behind a proxy, start as root with --user, or allow "
               "it (for a systemd unit by AmbientCapabilities=CAP_NET_BIND_SERVICE, for everybody by sysctl "
               "net.ipv4.ip_unprivileged_port_start=" +
               std::to_string(asked.port) + ")";
    }
    if (failed == system_error(EADDRNOTAVAIL)) {
        return ". No interface of this machine has that address; 0.0.0.0 stands for all of them";
    }
    return {};
}

outcome<socket_address> resolve(const tcp_request& asked) {
    const char* host = asked.host.empty() ? "0.0.0.0" : asked.host.c_str();
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failed = getaddrinfo(host, std::to_string(asked.port).c_str(), &hints, &found);
    if (failed != 0) {
        const error_code code = failed == EAI_SYSTEM ? last_error() : system_error(EADDRNOTAVAIL);
        return failure{
            code,
            "cannot listen on " + asked_text(asked) + ": the host is not known (" + gai_strerror(failed) + ")"
        };
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    const addrinfo* chosen = found;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        if (entry->ai_family == AF_INET) {
            chosen = entry;
            break;
        }
    }
    socket_address address;
    std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
    address.length = chosen->ai_addrlen;
    return address;
}

bool enable(int fd, int level, int option) noexcept {
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

bool is_ipv6_only(int fd) noexcept {
    int on = 0;
    socklen_t length = sizeof on;
    return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, &length) == 0 && on != 0;
}

error_code prepare(int fd, int family, const tcp_request& how) noexcept {
    if (!enable(fd, SOL_SOCKET, SO_REUSEADDR)) return last_error();
    if (how.share_port && !enable(fd, SOL_SOCKET, SO_REUSEPORT)) return last_error();
    if (!enable(fd, IPPROTO_TCP, TCP_NODELAY)) return last_error();
    if (family != AF_INET6 || !how.ipv6_only) return {};
    const int on = *how.ipv6_only ? 1 : 0;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return last_error();
    return {};
}

result<listener::state> open_at(const socket_address& address, const tcp_request& how) {
    const int family = address.storage.ss_family;
    unique_fd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return last_error();
    if (const error_code failed = prepare(fd.get(), family, how)) return failed;
    if (bind(fd.get(), address.data(), address.length) != 0) return last_error();
    if (const error_code failed = limit_accept_wait(fd.get())) return failed;
    if (listen(fd.get(), how.backlog) != 0) return last_error();
    const auto bound = local_address(fd.get());
    if (!bound) return bound.error();
    listener::state made;
    made.fd = std::move(fd);
    made.address = bound->host();
    made.port = bound->port();
    return made;
}

}  // namespace

bool listener::ipv6_only() const noexcept {
    return is_ipv6_only(fd());
}

bool listener::shares_port() const noexcept {
    int on = 0;
    socklen_t length = sizeof on;
    return getsockopt(fd(), SOL_SOCKET, SO_REUSEPORT, &on, &length) == 0 && on != 0;
}

std::uint32_t listener::waiting() const noexcept {
    tcp_info found{};
    socklen_t length = sizeof found;
    if (is_unix() || getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &found, &length) != 0) return 0;
    // Of a socket that listens: the length of its accept queue (tcp_diag has it from the same place).
    return found.tcpi_unacked;
}

bool ipv6_only_by_default() noexcept {
    const unique_fd any(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return any && is_ipv6_only(any.get());
}

outcome<listener> listen_tcp(const tcp_request& asked) noexcept {
    const auto address = resolve(asked);
    if (!address) return address.error();
    auto made = open_at(*address, asked);
    if (!made) {
        failure why = make_failure(made.error(), "cannot listen on " + asked_text(asked));
        why.message += remedy(why.code, asked);
        return why;
    }
    return listener(std::move(*made));
}

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#include "settings/bind_address.hpp"

#include "base/ip_network.hpp"
#include "base/text.hpp"

#include <sys/un.h>

#include <algorithm>

namespace unicoro::settings {
namespace {

constexpr std::uint16_t default_port = 8000;

std::optional<bind_address> unix_socket(std::string_view path, std::string& problem) {
    if (path.empty()) {
        problem = "has no path: write unix:/run/app.sock";
        return std::nullopt;
    }
    // sun_path, and room for the NUL at its end.
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (path.size() > longest || path.find('\0') != path.npos) {
        problem = "has a socket path longer than the " + std::to_string(longest) +
                  " bytes Linux allows, or with a NUL in it";
        return std::nullopt;
    }
    bind_address address;
    address.type = bind_address::kind::unix_path;
    address.path = path;
    return address;
}

std::optional<bind_address> inherited(std::string_view number, std::string& problem) {
    const auto fd = base::parse_integer<int>(number);
    if (!fd || *fd < 0) {
        problem = "is not a file descriptor: write fd://3";
        return std::nullopt;
    }
    bind_address address;
    address.type = bind_address::kind::inherited_fd;
    address.fd = *fd;
    return address;
}

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool usable_name(std::string_view host) {
    return std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    });
}

/// The parts of HOST[:PORT]; `port` stays empty when there is no colon for it.
struct host_and_port {
    std::string_view host;
    std::optional<std::string_view> port;
};

std::optional<host_and_port> bracketed(std::string_view text, std::string& problem) {
    const auto close = text.find(']');
    if (close == text.npos) {
        problem = "has a bracket that is not closed: write [::1]:8000";
        return std::nullopt;
    }
    const auto host = text.substr(1, close - 1);
    const auto address = base::ip_address::parse(host.substr(0, host.find('%')));
    if (!address || !address->v6) {
        problem = "has no IPv6 address in its brackets: write [::1]:8000";
        return std::nullopt;
    }
    const auto rest = text.substr(close + 1);
    if (rest.empty()) return host_and_port{host, std::nullopt};
    if (rest.front() != ':') {
        problem = "has text between the bracket and the port: write [::1]:8000";
        return std::nullopt;
    }
    return host_and_port{host, rest.substr(1)};
}

std::optional<host_and_port> plain(std::string_view text, std::string& problem) {
    if (const auto scheme = text.find("://"); scheme != text.npos) {
        problem = "has an unknown scheme: use tcp://, unix: or fd://";
        return std::nullopt;
    }
    const auto colon = text.find(':');
    if (text.find(':', colon == text.npos ? colon : colon + 1) != text.npos) {
        problem = "has more than one colon: write an IPv6 address in brackets, as in [::1]:8000";
        return std::nullopt;
    }
    const auto host = text.substr(0, colon);
    if (!usable_name(host)) {
        problem = "is not HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N";
        return std::nullopt;
    }
    if (colon == text.npos && all_digits(host)) {
        const auto port = base::parse_integer<std::uint16_t>(host);
        problem = port ? "is a port alone: write :" + std::string(host) +
                             " for all addresses, or 127.0.0.1:" + std::string(host) + " for this machine"
                       : "is a number, neither HOST:PORT, [IPV6]:PORT, unix:PATH nor fd://N";
        return std::nullopt;
    }
    if (colon == text.npos) return host_and_port{host, std::nullopt};
    return host_and_port{host, text.substr(colon + 1)};
}

std::optional<bind_address> tcp(std::string_view text, std::string& problem) {
    const auto parts = text.starts_with('[') ? bracketed(text, problem) : plain(text, problem);
    if (!parts) return std::nullopt;
    bind_address address;
    address.host = base::to_lower(parts->host);
    address.port = default_port;
    if (parts->port) {
        const auto port = base::parse_integer<std::uint16_t>(*parts->port);
        if (!port) {
            problem = "has no valid port: a number from 0 to 65535 must follow the colon";
            return std::nullopt;
        }
        address.port = *port;
    }
    return address;
}

}  // namespace

bool is_any_ipv6(const bind_address& address) noexcept {
    if (address.type != bind_address::kind::tcp) return false;
    const auto parsed = base::ip_address::parse(address.host);
    return parsed && parsed->v6 && parsed->bytes == base::ip_address{}.bytes;
}

bool is_ipv4(const bind_address& address) noexcept {
    return address.type == bind_address::kind::tcp && address.host.find(':') == std::string::npos;
}

bool is_loopback(const bind_address& address) noexcept {
    if (address.type != bind_address::kind::tcp) return false;
    if (address.host == "localhost") return true;
    const auto parsed = base::ip_address::parse(address.host);
    if (!parsed) return false;
    if (!parsed->v6) return address.host.starts_with("127.");
    base::ip_address own;
    own.bytes[own.bytes.size() - 1] = 1;
    return parsed->bytes == own.bytes;
}

std::optional<bind_address> parse_bind_address(std::string_view written, std::string& problem) {
    std::string_view text = base::trim(written);
    if (text.empty()) text = "0.0.0.0:8000";
    std::optional<bind_address> address;
    if (text.starts_with("unix:")) {
        const auto path = text.substr(5);
        address = unix_socket(path.starts_with("//") ? path.substr(2) : path, problem);
    } else if (text.starts_with("fd://")) {
        address = inherited(text.substr(5), problem);
    } else {
        address = tcp(text.starts_with("tcp://") ? text.substr(6) : text, problem);
    }
    if (address) address->text = text;
    return address;
}

}  // namespace unicoro::settings

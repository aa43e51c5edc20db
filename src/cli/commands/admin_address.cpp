// SPDX-License-Identifier: MIT
#include "cli/commands/admin_address.hpp"

#include "base/text.hpp"
#include "settings/bind_address.hpp"

namespace unicoro::cli {
namespace {

using settings::bind_address;

std::optional<admin_address> address_of(const bind_address& from, const std::filesystem::path& folder) {
    if (from.type == bind_address::kind::unix_path)
        return admin_address{.path = (folder / from.path).string()};
    if (from.type == bind_address::kind::inherited_fd || from.port == 0) return std::nullopt;
    return admin_address{.host = host_to_ask(from.host), .port = from.port};
}

}  // namespace

std::string host_to_ask(const std::string& host) {
    if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
    return host == "::" ? "::1" : host;
}

std::string admin_address::text() const {
    if (is_unix()) return "unix:" + path;
    const bool is_ipv6 = host.find(':') != host.npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<admin_address> read_admin_address(std::string_view written, std::string& problem) {
    const std::string shown = "\"" + base::printable(written) + "\" ";
    if (written.starts_with("https://")) {
        problem = shown + "is not possible: a monitor speaks no TLS; ask it on its own machine, or by curl";
        return std::nullopt;
    }
    if (written.starts_with('/') || written.starts_with("./")) {
        problem = shown + "is a path: write unix:" + base::printable(written);
        return std::nullopt;
    }
    if (written.starts_with("http://")) {
        written.remove_prefix(7);
        if (written.ends_with('/')) written.remove_suffix(1);
        if (written.find('/') != written.npos || written.starts_with("unix:")) {
            problem = shown + "has a path: write http://HOST:PORT";
            return std::nullopt;
        }
    }
    std::string why;
    const auto read = settings::parse_bind_address(written, why);
    if (!read) {
        problem = why;
        return std::nullopt;
    }
    const auto bracket = written.rfind(']');
    const bool has_port = written.find(':', bracket == written.npos ? 0 : bracket) != written.npos;
    const auto made = has_port ? address_of(*read, "") : std::nullopt;
    if (!made) problem = shown + "is nothing to ask: write unix:PATH or HOST:PORT";
    return made;
}

std::optional<admin_address> best_of(
    const std::vector<bind_address>& bound, const std::filesystem::path& folder
) {
    std::optional<admin_address> best;
    for (const bind_address& each : bound) {
        auto made = address_of(each, folder);
        if (made && (!best || (made->is_unix() && !best->is_unix()))) best = std::move(made);
    }
    return best;
}

}  // namespace unicoro::cli

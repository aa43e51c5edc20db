// SPDX-License-Identifier: MIT
#include "log/syslog_address.hpp"

#include "base/text.hpp"

#include <sys/un.h>

namespace unicoro::log {
namespace {

constexpr std::string_view journal_socket = "/run/systemd/journal/socket";

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) noexcept {
    if (!text.ends_with(suffix)) return false;
    text.remove_suffix(suffix.size());
    return true;
}

/// "HOST", "HOST:PORT", "[IPV6]:PORT"
bool read_host(std::string_view text, syslog_address& into) {
    std::string_view port;
    if (take_prefix(text, "[")) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return false;
        port = text.substr(end + 1);
        text = text.substr(0, end);
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        port = text.substr(colon);
        text = text.substr(0, colon);
    }
    into.host = text;
    if (port.empty()) return !text.empty();
    const auto number = take_prefix(port, ":") ? base::parse_integer<std::uint16_t>(port) : std::nullopt;
    into.port = number.value_or(0);
    return !text.empty() && into.port != 0;
}

bool read_path(std::string_view text, syslog_address& into) {
    into.path = text;
    return text.starts_with('/') && text.size() < sizeof(sockaddr_un::sun_path);
}

bool read(std::string_view text, syslog_address& into) {
    using enum syslog_address::way;
    if (take_prefix(text, "udp://")) return read_host(text, into);
    if (take_prefix(text, "tcp://")) {
        into.by = tcp;
        return read_host(text, into);
    }
    if (take_prefix(text, "unix://")) {
        into.by = unix_any;
        if (take_suffix(text, "#dgram")) into.by = unix_datagram;
        if (take_suffix(text, "#stream")) into.by = unix_stream;
        return read_path(text, into);
    }
    into.by = journal;
    if (text == "journald") return read_path(journal_socket, into);
    return take_prefix(text, "journald://") && read_path(text, into);
}

}  // namespace

std::optional<syslog_address> parse_syslog_address(std::string_view written) {
    syslog_address found;
    if (read(base::trim(written), found)) return found;
    return std::nullopt;
}

}  // namespace unicoro::log

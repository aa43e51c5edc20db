// SPDX-License-Identifier: MIT
#include "log/syslog_address.hpp"

#include "base/text.hpp"

namespace unicoro::log {
namespace {

constexpr std::uint16_t usual_port = 514;
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

bool read(std::string_view text, syslog_address& into) {
    using enum message_address::way;
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
    into.by = unix_datagram;
    into.is_journal = true;
    if (text == "journald") return read_path(journal_socket, into);
    return take_prefix(text, "journald://") && read_path(text, into);
}

}  // namespace

std::optional<syslog_address> parse_syslog_address(std::string_view written) {
    syslog_address found;
    found.port = usual_port;
    if (read(base::trim(written), found)) return found;
    return std::nullopt;
}

}  // namespace unicoro::log

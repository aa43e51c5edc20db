// SPDX-License-Identifier: MIT
#include "log/message_address.hpp"

#include "base/text.hpp"

#include <sys/un.h>

namespace unicoro::log {

bool read_host(std::string_view text, message_address& into) {
    std::string_view port;
    if (text.starts_with('[')) {
        text.remove_prefix(1);
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
    const auto number =
        port.starts_with(':') ? base::parse_integer<std::uint16_t>(port.substr(1)) : std::nullopt;
    into.port = number.value_or(0);
    return !text.empty() && into.port != 0;
}

bool read_path(std::string_view text, message_address& into) {
    into.path = text;
    return text.starts_with('/') && text.size() < sizeof(sockaddr_un::sun_path);
}

}  // namespace unicoro::log

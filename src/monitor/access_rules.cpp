// SPDX-License-Identifier: MIT
#include "monitor/access_rules.hpp"

#include "base/ip_network.hpp"

#include <algorithm>

namespace unicoro::monitor {
namespace {

std::string_view without_port(std::string_view authority) noexcept {
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        return end == authority.npos ? std::string_view() : authority.substr(1, end - 1);
    }
    return authority.substr(0, std::min(authority.find(':'), authority.size()));
}

}  // namespace

bool carries_token(const http::request_head& request, std::string_view token) noexcept {
    constexpr std::string_view scheme = "Bearer ";
    const auto field = request.find("Authorization");
    if (!field || !http::iequals(field->substr(0, scheme.size()), scheme)) return false;
    std::string_view given = field->substr(scheme.size());
    while (given.starts_with(' ')) given.remove_prefix(1);
    if (given.size() != token.size()) return false;
    unsigned char differs = 0;
    for (std::size_t at = 0; at < token.size(); ++at) {
        const volatile unsigned char each = static_cast<unsigned char>(given[at] ^ token[at]);
        differs = static_cast<unsigned char>(differs | each);
    }
    return differs == 0;
}

bool is_own_name(std::string_view authority) noexcept {
    if (authority.empty()) return true;
    std::string_view name = without_port(authority);
    if (base::ip_address::parse(name)) return true;
    if (name.ends_with('.')) name.remove_suffix(1);
    constexpr std::string_view below_local = ".localhost";
    if (http::iequals(name, "localhost")) return true;
    // Browsers and resolvers keep these names on the machine (RFC 6761, 6.3).
    return name.size() > below_local.size() &&
           http::iequals(name.substr(name.size() - below_local.size()), below_local);
}

}  // namespace unicoro::monitor

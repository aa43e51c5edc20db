// SPDX-License-Identifier: MIT
#include "http/basic_user.hpp"

#include "http/request_head.hpp"

#include <cstdint>

namespace unicoro::http {
namespace {

int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

}  // namespace

std::string basic_user(std::string_view authorization) {
    constexpr std::string_view scheme = "Basic ";
    if (authorization.size() <= scheme.size()) return {};
    if (!iequals(authorization.substr(0, scheme.size()), scheme)) return {};
    std::string user;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : authorization.substr(scheme.size())) {
        const int digit = base64_digit(c);
        if (digit < 0) break;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        const char decoded = static_cast<char>((bits >> held) & 0xff);
        if (decoded == ':') return user;
        user += decoded;
    }
    return {};
}

}  // namespace unicoro::http

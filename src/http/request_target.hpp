// SPDX-License-Identifier: MIT
#pragma once

#include "http/refusal.hpp"

#include <string_view>

namespace unicoro::http {

/// What a request-target says (RFC 9112, 3.2). Views into the target.
struct target_parts {
    std::string_view path;       ///< "*" of asterisk-form
    std::string_view query;      ///< without '?'
    std::string_view authority;  ///< of absolute-form, else empty
};

/// Takes the target apart and checks that its form fits the method. False with `why` filled in when
/// it does not: origin-form and absolute-form (http, https) go with any method but CONNECT, which is refused
/// (501), "*" with OPTIONS alone. Bytes above 0x7F pass undecoded, except in an authority.
bool split_target(std::string_view method, std::string_view target, target_parts& parts, refusal& why);

/// True for `uri-host [":" port]` (RFC 9112, 3.2): a reg-name, an IPv4 address or an IP literal,
/// and a port of 0..65535. The empty text is a valid Host.
[[nodiscard]] bool valid_host(std::string_view text) noexcept;

}  // namespace unicoro::http

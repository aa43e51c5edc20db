// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/header_field.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace unicoro::http {

/// A header field; compare names with `iequals`.
using field = unicoro::header_field;

enum class version : std::uint8_t { http_1_0, http_1_1, http_2 };

enum class body_framing : std::uint8_t {
    none,
    length,
    chunked,  ///< or, in HTTP/2, of any length
};

/// Whom trusted proxies have named as the client.
struct told_client {
    std::string_view address;  ///< canonical; empty where they hide it
    std::uint16_t port = 0;    ///< 0 = not said
};

/// A request head that passed every acceptance rule. All views point into the bytes given to the
/// parser and live as long as those and the parser do.
struct request_head {
    std::string_view method;
    std::string_view target;     ///< request-target as received (RFC 9112, 3.2), or :path (RFC 9113, 8.3.1)
    std::string_view path;       ///< of origin-form and absolute-form, still percent-encoded
    std::string_view query;      ///< without '?'
    std::string_view authority;  ///< of absolute-form (RFC 9112, 3.2.2) or :authority, else the Host field,
                                 ///< or a proxy's word
    http::version version = version::http_1_1;
    std::span<const field> fields;
    body_framing framing = body_framing::none;
    std::uint64_t content_length = 0;   ///< with body_framing::length
    bool keep_alive = true;             ///< what the client asked for (RFC 9112, 9.3)
    bool expects_continue = false;      ///< RFC 9110, 10.1.1
    bool wants_websocket = false;       ///< asks to upgrade to it; not yet judged (RFC 6455, 4.2.1)
    std::string_view scheme = "http";   ///< "https" by TLS, or when a trusted peer says so
    std::optional<told_client> client;  ///< by the setting forwarded_client; nothing = the connection's
    std::string_view script_name;       ///< of a trusted peer's SCRIPT_NAME field, without a slash at the end

    /// The first field of that name, compared without case.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
    [[nodiscard]] std::string_view protocol() const noexcept {
        if (version == version::http_2) return "HTTP/2";
        return version == version::http_1_1 ? "HTTP/1.1" : "HTTP/1.0";
    }
};

/// ASCII comparison without case; safe on any bytes.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;

}  // namespace unicoro::http

// SPDX-License-Identifier: MIT
#pragma once

#include "base/ip_network.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// What becomes of a header field whose name has an underscore.
enum class underscore_fields { drop, refuse, dangerous };

/// By which field trusted proxies tell the client's address.
enum class client_field { off, x_forwarded_for, forwarded };

/// What becomes of the fields of W3C Trace Context.
enum class trace_policy {
    pass,    ///< they are fields like any other
    accept,  ///< what is no trace is left out
    make,    ///< the same, and a request that belongs to none begins one
};

/// Whether the peer is in forwarded_allow_ips (or came over a unix socket).
enum class peer_trust : bool { untrusted, trusted };

/// Whom a request comes from, as far as its acceptance depends on it.
struct peer {
    constexpr peer(
        peer_trust how_far = peer_trust::untrusted,
        bool over_tls = false,
        const base::trust_list* proxies = nullptr
    ) noexcept
        : trust(how_far), secure(over_tls), hops(proxies) {}

    peer_trust trust;
    bool secure;  ///< by TLS of ours: "https", unless a trusted peer says otherwise
    /// The host that the TLS handshake was for (SNI); empty = none was named. Lives as long as the
    /// connection.
    std::string_view server_name = {};
    /// Who else may have passed the request on. Null: nobody before the connection's own client, which is
    /// no proxy that is trusted.
    const base::trust_list* hops;
};

/// The acceptance rules of a server, one for every kind of application. Settings embed it, with its
/// defaults; who reads requests holds a reference to theirs. A new rule is a member here, and a row of the
/// table of settings (settings/table_http.cpp) that names it.
struct policy {
    std::size_t limit_request_line = 4094;        ///< bytes without CRLF; 0 = 65536
    std::size_t limit_request_fields = 100;       ///< 0 = 32768
    std::size_t limit_request_field_size = 8190;  ///< "name: value" CRLF; 0 = 65536
    std::uint64_t limit_request_body = 0;         ///< bytes; 0 = unlimited
    bool permit_obsolete_folding = false;         ///< obs-fold becomes a space (RFC 9112, 5.2)
    bool permit_unconventional_http_method = false;
    bool permit_unconventional_http_version = false;
    bool casefold_http_method = false;
    underscore_fields header_map = underscore_fields::drop;
    /// What of trusted peers means https: NAME-UPPER -> value.
    std::map<std::string, std::string> secure_scheme_headers{
        {"X-FORWARDED-PROTOCOL", "ssl"}, {"X-FORWARDED-PROTO", "https"}, {"X-FORWARDED-SSL", "on"}
    };
    /// Names with '_' that trusted peers may send; "*" = all.
    std::vector<std::string> forwarder_headers{"SCRIPT_NAME", "PATH_INFO"};

    client_field forwarded_client = client_field::off;
    trace_policy trace_context = trace_policy::pass;
    bool forwarded_host = false;  ///< X-Forwarded-Host of a trusted proxy stands for Host

    /// The most bytes a request head may have under these limits, at most 16 MiB.
    [[nodiscard]] std::size_t head_limit() const noexcept;

    /// The limits in force, with 0 replaced by what it stands for.
    [[nodiscard]] std::size_t request_line_limit() const noexcept;
    [[nodiscard]] std::size_t fields_limit() const noexcept;
    [[nodiscard]] std::size_t field_size_limit() const noexcept;
};

}  // namespace unicoro::http

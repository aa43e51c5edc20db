// SPDX-License-Identifier: MIT
#pragma once

#include "base/ip_network.hpp"
#include "http/request_head.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace unicoro::http {

/// One end of a hop, as X-Forwarded-For and Forwarded name it (RFC 7239, 6).
struct forwarded_node {
    std::optional<base::ip_address> address;  ///< none: "unknown", or an identifier that hides it ("_x")
    std::uint16_t port = 0;                   ///< 0: not said, or hidden
};

/// How a field writes IPv6 addresses.
enum class ipv6_form : bool { in_brackets, also_bare };

/// Reads one; nothing where it is not well-formed.
[[nodiscard]] std::optional<forwarded_node> read_node(std::string_view text, ipv6_form form) noexcept;

/// What a field says of the client.
struct forwarded_client {
    enum class verdict : std::uint8_t {
        unsaid,     ///< it names nobody
        told,       ///< `node` is the client
        hidden,     ///< a trusted proxy does not tell
        malformed,  ///< what a trusted proxy says cannot be read
    };

    verdict what = verdict::unsaid;
    forwarded_node node = {};
};

/// Walks the X-Forwarded-For fields from the right, hop by hop, as long as the hop is one of `hops`: the
/// first that is not is the client, or else the last. What stands left of it is the client's own word, and
/// is not looked at.
[[nodiscard]] forwarded_client client_by_x_forwarded_for(
    std::span<const field> fields, const base::trust_list& hops
);

/// The same of the Forwarded fields (RFC 7239), whose lists must be well-formed as a whole: where a quoted
/// string does not end, nobody can tell what a proxy has added.
[[nodiscard]] forwarded_client client_by_forwarded(
    std::span<const field> fields, const base::trust_list& hops
);

}  // namespace unicoro::http

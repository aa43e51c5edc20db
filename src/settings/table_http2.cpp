// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <algorithm>

namespace unicoro::settings {

bool http2_settings::speaks(std::string_view protocol) const noexcept {
    return std::ranges::find(http_protocols, protocol) != http_protocols.end();
}

namespace tables {
namespace {

template <auto Member>
constexpr member kept = stored_in<&server_settings::http2, Member>();

std::vector<setting> protocols() {
    return {
        {.name = "http_protocols",
         .flags = "--http-protocols",
         .metavar = "LIST",
         .type = http_protocol_list(),
         .kept = kept<&http2_settings::http_protocols>,
         .help =
             "The versions of HTTP that clients may speak, the preferred one first: h1, h2. Over TLS they "
             "agree on one by ALPN; without it, see http2_cleartext"},
        {.name = "http2_cleartext",
         .flags = "--http2-cleartext",
         .metavar = "MODE",
         .type = choice(
             {{"off"},
              {"prior-knowledge"},
              {"true", "prior-knowledge"},
              {"false", "off"},
              {"upgrade", {}, "RFC 9113 has given it up: use \"prior-knowledge\""},
              {"both", {}, "the upgrade is given up by RFC 9113: use \"prior-knowledge\""}}
         ),
         .kept = kept<&http2_settings::http2_cleartext>,
         .help = "HTTP/2 without TLS from peers in forwarded_allow_ips: off, or prior-knowledge = they may "
                 "begin with it, and must where http_protocols is h2 alone"},
    };
}

std::vector<setting> bounds() {
    return {
        {.name = "http2_max_concurrent_streams",
         .flags = "--http2-max-concurrent-streams",
         .metavar = "N",
         .type = whole_number(1, 65535),
         .kept = kept<&http2_settings::http2_max_concurrent_streams>,
         .help =
             "How many requests a connection of HTTP/2 may carry at once; further ones are refused, to be "
             "sent again"},
        {.name = "http2_initial_window_size",
         .flags = "--http2-initial-window-size",
         .metavar = "BYTES",
         .type = whole_number(1, 2147483647),
         .kept = kept<&http2_settings::http2_initial_window_size>,
         .help = "How many bytes of a request body a client of HTTP/2 may send ahead of the application"},
        {.name = "http2_max_frame_size",
         .flags = "--http2-max-frame-size",
         .metavar = "BYTES",
         .type = whole_number(16384, 16777215),
         .kept = kept<&http2_settings::http2_max_frame_size>,
         .help = "The longest frame that a client of HTTP/2 may send"},
        {.name = "http2_max_header_list_size",
         .flags = "--http2-max-header-list-size",
         .metavar = "BYTES",
         .type = whole_number(1, 16777216),
         .kept = kept<&http2_settings::http2_max_header_list_size>,
         .help = "How many bytes the header fields of a request by HTTP/2 may have, 32 for each added (RFC "
                 "9113, 6.5.2); more are answered 431"},
    };
}

}  // namespace

part http2() {
    return join(section::http2, {protocols(), bounds()});
}

}  // namespace tables
}  // namespace unicoro::settings

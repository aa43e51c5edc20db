// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

/// No honest request line or field is longer; it bounds what a worker buffers per request head.
constexpr std::int64_t longest_line = 1024 * 1024;

/// The rule of HTTP that a setting is.
template <auto Rule>
constexpr member rule = stored_in<&server_settings::policy, Rule>();

std::vector<setting> responses_and_protocol() {
    return {
        {.name = "server_header",
         .flags = "--server-header",
         .metavar = "TEXT",
         .type = text(presence::may_be_empty),
         .kept = stored_in<&server_settings::server_header>(),
         .help = "The Server field of responses; empty = none",
         .variable = variable_kind::ours},
        {.name = "sendfile",
         .flags = "--no-sendfile",
         .form = flag_form::switch_off,
         .type = boolean(),
         .kept = stored_in<&server_settings::sendfile>(),
         .default_note = "$SENDFILE, else true",
         .help = "Send files with sendfile(2)"},
    };
}

std::vector<setting> websockets() {
    return {
        {.name = "ws_ping_interval",
         .flags = "--ws-ping-interval",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::ws_ping_interval>(),
         .help = "How often the client of a WebSocket is pinged; 0 = never",
         .variable = variable_kind::ours},
        {.name = "ws_ping_timeout",
         .flags = "--ws-ping-timeout",
         .metavar = "SECONDS",
         .type = seconds(),
         .kept = stored_in<&server_settings::ws_ping_timeout>(),
         .help = "How long a pinged client may send nothing before its WebSocket is cut; 0 = any",
         .variable = variable_kind::ours},
        {.name = "ws_max_size",
         .other_name = "websocket_max_message_size",
         .flags = "--ws-max-size,--websocket-max-message-size",
         .metavar = "BYTES",
         .type = byte_size(),
         .kept = stored_in<&server_settings::ws_max_size>(),
         .help = "Longest message of a WebSocket, decompressed, closed with 1009 beyond; 0 = any",
         .variable = variable_kind::ours},
        {.name = "ws_per_message_deflate",
         .flags = "--no-ws-per-message-deflate",
         .form = flag_form::switch_off,
         .type = boolean(),
         .kept = stored_in<&server_settings::ws_per_message_deflate>(),
         .help = "Compress the messages of WebSockets whose client offers it (RFC 7692)",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> leniency() {
    return {
        {.name = "permit_obsolete_folding",
         .flags = "--permit-obsolete-folding",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::permit_obsolete_folding>,
         .help = "Accept header fields folded over many lines (RFC 9112, 5.2)"},
        {.name = "permit_unconventional_http_method",
         .flags = "--permit-unconventional-http-method",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::permit_unconventional_http_method>,
         .help = "Accept methods in lower case, and shorter or longer than 3 to 20 letters"},
        {.name = "permit_unconventional_http_version",
         .flags = "--permit-unconventional-http-version",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::permit_unconventional_http_version>,
         .help = "Accept major versions beside HTTP/1 (HTTP/1.2 to 1.9 are always read as 1.1)"},
        {.name = "casefold_http_method",
         .flags = "--casefold-http-method",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::casefold_http_method>,
         .help = "Turn methods into upper case"},
    };
}

}  // namespace

part timeouts() {
    return {
        section::timeouts,
        {
            {.name = "keepalive",
             .flags = "--keep-alive",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::keepalive>(),
             .help = "How long an idle connection stays open for its next request; 0 = close after "
                     "each response. A load balancer in front must close its own sooner"},
            {.name = "header_timeout",
             .flags = "--header-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::header_timeout>(),
             .help = "Time a client has to send a whole request head; 0 = any",
             .variable = variable_kind::ours},
            {.name = "body_timeout",
             .flags = "--body-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::body_timeout>(),
             .help = "Longest silence of a client while its request body arrives; 0 = any",
             .variable = variable_kind::ours},
            {.name = "send_timeout",
             .flags = "--send-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::send_timeout>(),
             .help = "Longest time a client may take no byte of its response; 0 = any",
             .variable = variable_kind::ours},
            {.name = "request_timeout",
             .flags = "--request-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::request_timeout>(),
             .help = "Time the application has for one request, which is then cancelled and "
                     "answered 504; "
                     "0 = any",
             .variable = variable_kind::ours},
        },
    };
}

part limits() {
    return {
        section::limits,
        {
            {.name = "limit_request_line",
             .flags = "--limit-request-line",
             .metavar = "BYTES",
             .type = byte_size(longest_line),
             .kept = rule<&http::policy::limit_request_line>,
             .help = "Longest request line, answered 414 beyond; 0 = 65536"},
            {.name = "limit_request_fields",
             .flags = "--limit-request-fields",
             .metavar = "N",
             .type = whole_number(0, 32768),
             .kept = rule<&http::policy::limit_request_fields>,
             .help = "Most header fields of a request, answered 431 beyond; 0 = 32768"},
            {.name = "limit_request_field_size",
             .flags = "--limit-request-field-size,--limit-request-field_size",
             .metavar = "BYTES",
             .type = byte_size(longest_line),
             .kept = rule<&http::policy::limit_request_field_size>,
             .help = "Longest header field of a request, answered 431 beyond; 0 = 65536"},
            {.name = "limit_request_body",
             .flags = "--limit-request-body",
             .metavar = "BYTES",
             .type = byte_size(),
             .kept = rule<&http::policy::limit_request_body>,
             .help = "Longest request body, answered 413 beyond; 0 = any",
             .variable = variable_kind::ours},
        },
    };
}

part http() {
    return join(section::http, {responses_and_protocol(), websockets(), leniency()});
}

part proxies() {
    return {
        section::proxies,
        {
            {.name = "forwarded_allow_ips",
             .flags = "--forwarded-allow-ips",
             .metavar = "ADDRESSES",
             .type = network_list(),
             .kept = stored_in<&server_settings::forwarded_allow_ips>(),
             .default_note = "$FORWARDED_ALLOW_IPS, else 127.0.0.1,::1",
             .help = "Proxies whose forwarding fields are believed: addresses, CIDR blocks or *; unix "
                     "sockets always are"},
            {.name = "secure_scheme_headers",
             .type = field_map(),
             .kept = rule<&http::policy::secure_scheme_headers>,
             .help = "Header fields, and their values, with which a trusted proxy says that the client "
                     "came by https"},
            {.name = "forwarder_headers",
             .flags = "--forwarder-headers",
             .metavar = "NAMES",
             .type = field_name_list(),
             .kept = rule<&http::policy::forwarder_headers>,
             .help = "Header fields with an underscore that a trusted proxy may send; * = all"},
            {.name = "header_map",
             .flags = "--header-map",
             .metavar = "MODE",
             .type = choice_of<http::underscore_fields>(),
             .kept = rule<&http::policy::header_map>,
             .help = "What becomes of other header fields with an underscore: dropped, the request "
                     "refused, or (dangerous) passed on as if it were a dash"},
        },
    };
}

}  // namespace unicoro::settings::tables

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
        {.name = "early_hints",
         .flags = "--no-early-hints",
         .form = flag_form::switch_off,
         .type = boolean(),
         .kept = stored_in<&server_settings::early_hints>(),
         .help =
             "Send the early hints (103) of applications. Some proxies cannot read them, nginx before 1.29 "
             "among them: their clients would wait for ever",
         .variable = variable_kind::ours},
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
         .help =
             "How long a client that was pinged may send nothing before its WebSocket is cut; 0 = no limit",
         .variable = variable_kind::ours},
        {.name = "ws_max_size",
         .other_name = "websocket_max_message_size",
         .flags = "--ws-max-size,--websocket-max-message-size",
         .metavar = "BYTES",
         .type = byte_size(),
         .kept = stored_in<&server_settings::ws_max_size>(),
         .help = "The longest WebSocket message, decompressed; a longer one closes the WebSocket with 1009; "
                 "0 = no limit",
         .variable = variable_kind::ours},
        {.name = "ws_per_message_deflate",
         .flags = "--no-ws-per-message-deflate",
         .form = flag_form::switch_off,
         .type = boolean(),
         .kept = stored_in<&server_settings::ws_per_message_deflate>(),
         .help = "Compress WebSocket messages if the client offers it (RFC 7692)",
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
         .help = "Accept header fields folded over several lines (RFC 9112, 5.2)"},
        {.name = "permit_unconventional_http_method",
         .flags = "--permit-unconventional-http-method",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::permit_unconventional_http_method>,
         .help = "Accept methods in lower case, or with fewer than 3 or more than 20 letters"},
        {.name = "permit_unconventional_http_version",
         .flags = "--permit-unconventional-http-version",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::permit_unconventional_http_version>,
         .help = "Accept major versions other than HTTP/1 (HTTP/1.2 to 1.9 are always read as 1.1)"},
        {.name = "casefold_http_method",
         .flags = "--casefold-http-method",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::casefold_http_method>,
         .help = "Convert methods to upper case"},
    };
}

std::vector<setting> believed_proxies() {
    return {
        {.name = "forwarded_allow_ips",
         .flags = "--forwarded-allow-ips",
         .metavar = "ADDRESSES",
         .type = network_list(),
         .kept = stored_in<&server_settings::forwarded_allow_ips>(),
         .default_note = "$FORWARDED_ALLOW_IPS, else 127.0.0.1,::1",
         .help = "Proxies whose forwarding fields are believed: addresses, CIDR blocks or *; peers on "
                 "unix sockets always are"},
        {.name = "forwarded_client",
         .flags = "--forwarded-client",
         .metavar = "FIELD",
         .type = choice_of<http::client_field>(),
         .kept = rule<&http::policy::forwarded_client>,
         .help = "The header field by which trusted proxies tell the client's address: x-forwarded-for, or "
                 "forwarded (RFC 7239); off = the client is who has connected",
         .variable = variable_kind::ours},
        {.name = "trace_context",
         .flags = "--trace-context",
         .metavar = "WAY",
         .type = choice_of<http::trace_policy>(),
         .kept = rule<&http::policy::trace_context>,
         .help = "The fields traceparent and tracestate (W3C Trace Context): pass = as they are; accept = "
                 "those that are invalid are left out; make = a request without a valid one begins a trace, "
                 "marked as sampled. The access log prints its number (%(x)s, trace_id in JSON)",
         .variable = variable_kind::ours},
        {.name = "forwarded_host",
         .flags = "--forwarded-host",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = rule<&http::policy::forwarded_host>,
         .help = "Take X-Forwarded-Host of a trusted proxy for the Host of the request",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> announcing_balancers() {
    return {
        {.name = "proxy_protocol",
         .flags = "--proxy-protocol",
         .form = flag_form::optional_value,
         .metavar = "MODE",
         .type = choice_of<http::proxy_protocol>({{"true", "auto"}, {"false", "off"}}),
         .kept = stored_in<&server_settings::proxy_protocol>(),
         .help = "The PROXY protocol, by which a load balancer announces the client of a connection: v1, v2, "
                 "or auto = either. The flag alone means auto. A connection without it is served as it is"},
        {.name = "proxy_allow_ips",
         .flags = "--proxy-allow-from",
         .metavar = "ADDRESSES",
         .type = network_list(),
         .kept = stored_in<&server_settings::proxy_allow_ips>(),
         .help = "Load balancers that may announce clients by proxy_protocol: addresses, CIDR blocks or *; "
                 "peers on unix sockets always may"},
    };
}

std::vector<setting> fields_of_proxies() {
    return {
        {.name = "secure_scheme_headers",
         .type = field_map(),
         .kept = rule<&http::policy::secure_scheme_headers>,
         .help = "Header fields, with their values, by which a trusted proxy says that the client used https"
        },
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
         .help = "What happens to other header fields with an underscore: drop them, refuse the request, "
                 "or (dangerous) pass them on as if it were a dash"},
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
             .help = "How long a client may take to send a complete request head; 0 = no limit",
             .variable = variable_kind::ours},
            {.name = "body_timeout",
             .flags = "--body-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::body_timeout>(),
             .help = "How long a client may be silent while its request body arrives; 0 = no limit",
             .variable = variable_kind::ours},
            {.name = "send_timeout",
             .flags = "--send-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::send_timeout>(),
             .help = "How long a client may go without taking a byte of its response; 0 = no limit",
             .variable = variable_kind::ours},
            {.name = "request_timeout",
             .flags = "--request-timeout",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::request_timeout>(),
             .help = "How long the application may take for one request, which is then cancelled and "
                     "answered 504; 0 = no limit",
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
             .help = "The longest request line; a longer one is answered 414; 0 = 65536"},
            {.name = "limit_request_fields",
             .flags = "--limit-request-fields",
             .metavar = "N",
             .type = whole_number(0, 32768),
             .kept = rule<&http::policy::limit_request_fields>,
             .help = "The most header fields in a request; more are answered 431; 0 = 32768"},
            {.name = "limit_request_field_size",
             .flags = "--limit-request-field-size,--limit-request-field_size",
             .metavar = "BYTES",
             .type = byte_size(longest_line),
             .kept = rule<&http::policy::limit_request_field_size>,
             .help = "The longest header field in a request; a longer one is answered 431; 0 = 65536"},
            {.name = "limit_request_body",
             .flags = "--limit-request-body",
             .metavar = "BYTES",
             .type = byte_size(),
             .kept = rule<&http::policy::limit_request_body>,
             .help = "The longest request body; a longer one is answered 413; 0 = no limit",
             .variable = variable_kind::ours},
        },
    };
}

part http() {
    return join(section::http, {responses_and_protocol(), websockets(), leniency()});
}

part proxies() {
    return join(section::proxies, {believed_proxies(), announcing_balancers(), fields_of_proxies()});
}

}  // namespace unicoro::settings::tables

// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <limits>

namespace unicoro::settings::tables {
namespace {

constexpr std::string_view no_tls = "end TLS in nginx, HAProxy or another proxy in front";
constexpr std::string_view of_tls = "it belongs to TLS, which is not available yet";
constexpr std::string_view of_http2 = "it belongs to HTTP/2, which is not available yet";
constexpr std::string_view no_http2 = "speak HTTP/2 in nginx, HAProxy or another proxy in front";

setting tls_text(
    std::string_view name,
    std::string_view flags,
    std::string_view metavar,
    std::string_view help,
    availability status = availability::not_yet
) {
    return {
        .name = name,
        .flags = flags,
        .metavar = metavar,
        .type = text(),
        .help = help,
        .status = status,
        .remark = status == availability::not_yet ? no_tls : of_tls
    };
}

setting http2_number(
    std::string_view name,
    std::string_view flags,
    value_type_ptr type,
    std::string_view initial,
    std::string_view help
) {
    return {
        .name = name,
        .flags = flags,
        .metavar = "N",
        .type = std::move(type),
        .initial = initial,
        .help = help,
        .status = availability::meaningless,
        .remark = of_http2
    };
}

}  // namespace

part sockets() {
    return {
        section::sockets,
        {
            {.name = "bind",
             .flags = "-b,--bind",
             .form = flag_form::repeated,
             .metavar = "ADDRESS",
             .type = bind_list(),
             .kept = stored_in<&server_settings::bind>(),
             .default_note = "0.0.0.0:$PORT if PORT is set, else 127.0.0.1:8000",
             .help = "Listen on HOST, HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N; may be repeated"},
            {.name = "backlog",
             .flags = "--backlog",
             .metavar = "N",
             .type = whole_number(0, std::numeric_limits<int>::max()),
             .kept = stored_in<&server_settings::backlog>(),
             .help = "Connections the kernel lets wait to be accepted (at most net.core.somaxconn)"},
            {.name = "reuse_port",
             .flags = "--reuse-port",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::reuse_port>(),
             .help = "Give each worker a socket of its own (SO_REUSEPORT)"},
            {.name = "ipv6_only",
             .flags = "--ipv6-only",
             .metavar = "MODE",
             .type = choice({{"auto"}, {"on"}, {"off"}}),
             .kept = stored_in<&server_settings::ipv6_only>(),
             .help = "Whether [::]:PORT leaves IPv4 alone: auto = as the system has it "
                     "(net.ipv6.bindv6only, usually off), but on where an IPv4 address of that port is "
                     "bound beside it"},
        },
    };
}

part tls() {
    return {
        section::tls,
        {
            tls_text("certfile", "--certfile", "FILE", "The certificate chain"),
            tls_text("keyfile", "--keyfile", "FILE", "The key of the certificate"),
            tls_text(
                "ca_certs",
                "--ca-certs",
                "FILE",
                "Authorities that client certificates must come from",
                availability::meaningless
            ),
            {.name = "cert_reqs",
             .flags = "--cert-reqs",
             .metavar = "N",
             .type = whole_number(0, 2),
             .initial = "0",
             .help = "Client certificates: 0 = none, 1 = optional, 2 = required",
             .status = availability::meaningless,
             .remark = of_tls},
            tls_text(
                "ciphers", "--ciphers", "LIST", "Ciphers in OpenSSL's notation", availability::meaningless
            ),
            {.name = "ssl_version",
             .flags = "--ssl-version",
             .metavar = "VERSION",
             .type = anything(),
             .help = "The version of TLS",
             .status = availability::meaningless,
             .remark = "gunicorn ignores it too; old versions of TLS are not spoken"},
            {.name = "suppress_ragged_eofs",
             .flags = "--suppress-ragged-eofs",
             .form = flag_form::switch_on,
             .type = boolean(),
             .initial = "true",
             .help = "Let clients close without TLS's goodbye",
             .status = availability::meaningless,
             .remark = "it concerns Python's TLS sockets, which are not used"},
            {.name = "do_handshake_on_connect",
             .flags = "--do-handshake-on-connect",
             .form = flag_form::switch_on,
             .type = boolean(),
             .initial = "false",
             .help = "When the TLS handshake is done",
             .status = availability::meaningless,
             .remark = "it concerns Python's TLS sockets, which are not used"},
        },
    };
}

part http2() {
    return {
        section::http2,
        {
            {.name = "http_protocols",
             .flags = "--http-protocols",
             .metavar = "LIST",
             .type = text(presence::required),
             .initial = R"("h1")",
             .help = "Versions of HTTP offered to clients over TLS",
             .status = availability::meaningless,
             .remark = of_http2},
            {.name = "http2_cleartext",
             .flags = "--http2-cleartext",
             .metavar = "MODE",
             .type = choice({{"off"}, {"prior-knowledge"}, {"upgrade"}, {"both"}}),
             .initial = R"("off")",
             .help = "HTTP/2 without TLS",
             .status = availability::not_yet,
             .remark = no_http2},
            http2_number(
                "http2_max_concurrent_streams",
                "--http2-max-concurrent-streams",
                whole_number(0, 4294967295),
                "100",
                "Most requests at once on a connection"
            ),
            http2_number(
                "http2_initial_window_size",
                "--http2-initial-window-size",
                whole_number(0, 2147483647),
                "65535",
                "Bytes a client may send ahead on a stream"
            ),
            http2_number(
                "http2_max_frame_size",
                "--http2-max-frame-size",
                whole_number(16384, 16777215),
                "16384",
                "Longest frame a client may send"
            ),
            http2_number(
                "http2_max_header_list_size",
                "--http2-max-header-list-size",
                whole_number(0, 4294967295),
                "65536",
                "Most bytes of header fields in a request"
            ),
        },
    };
}

}  // namespace unicoro::settings::tables

// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

std::vector<setting> certificates() {
    return {
        {.name = "certfile",
         .flags = "--certfile",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::tls, &tls_settings::certfile>(),
         .help = "Serve HTTPS with this certificate (PEM), the authorities' own ones behind it"},
        {.name = "keyfile",
         .flags = "--keyfile",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::tls, &tls_settings::keyfile>(),
         .default_note = "the key in certfile",
         .help = "The key of the certificate (PEM, without a passphrase)"},
        {.name = "certificates",
         .flags = "--certificate",
         .form = flag_form::repeated,
         .metavar = "PATH",
         .type = text_list(commas::are_text, "files or folders"),
         .kept = stored_in<&server_settings::tls, &tls_settings::certificates>(),
         .help = "Another certificate, for clients that ask for a host which certfile is not for (SNI): a "
                 "file with its key in it, or a folder with fullchain.pem and privkey.pem; may be repeated",
         .variable = variable_kind::ours},
    };
}

std::vector<setting> of_clients() {
    return {
        {.name = "ca_certs",
         .flags = "--ca-certs",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::tls, &tls_settings::ca_certs>(),
         .help = "Authorities that client certificates must come from (PEM)"},
        {.name = "cert_reqs",
         .flags = "--cert-reqs",
         .metavar = "N",
         .type = whole_number(0, 2),
         .kept = stored_in<&server_settings::tls, &tls_settings::cert_reqs>(),
         .help = "Client certificates: 0 = none, 1 = optional, 2 = required"},
    };
}

std::vector<setting> handshakes() {
    return {
        {.name = "ciphers",
         .flags = "--ciphers",
         .metavar = "LIST",
         .type = text(),
         .kept = stored_in<&server_settings::tls, &tls_settings::ciphers>(),
         .default_note = "OpenSSL's",
         .help = "Ciphers of TLS 1.2 in OpenSSL's notation"},
        {.name = "ciphersuites",
         .flags = "--ciphersuites",
         .metavar = "LIST",
         .type = text(),
         .kept = stored_in<&server_settings::tls, &tls_settings::ciphersuites>(),
         .default_note = "OpenSSL's",
         .help = "Ciphers of TLS 1.3 in OpenSSL's notation",
         .variable = variable_kind::ours},
        {.name = "tls_min_version",
         .flags = "--tls-min-version",
         .metavar = "VERSION",
         .type = choice_of<tls_version>(),
         .kept = stored_in<&server_settings::tls, &tls_settings::tls_min_version>(),
         .help = "The oldest version of TLS that clients may speak",
         .variable = variable_kind::ours},
        {.name = "tls_max_handshakes",
         .flags = "--tls-max-handshakes",
         .metavar = "N",
         .type = whole_number(0, 1000000),
         .kept = stored_in<&server_settings::tls, &tls_settings::tls_max_handshakes>(),
         .help = "TLS handshakes that a worker makes at once, further clients wait; 0 = any number",
         .variable = variable_kind::ours},
    };
}

}  // namespace

part tls() {
    return join(section::tls, {certificates(), of_clients(), handshakes()});
}

}  // namespace unicoro::settings::tables

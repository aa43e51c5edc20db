// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace unicoro::tls {

/// Of the certificate that a client has shown, which an authority of `ca_certs` has signed.
struct client_identity {
    std::string certificate;  ///< PEM
    std::string subject;      ///< distinguished names as RFC 2253 has them
    std::string issuer;
    std::string serial;  ///< hexadecimal
    std::string valid_from;
    std::string valid_until;
};

/// What the handshake of an encrypted connection has settled.
struct agreement {
    std::string protocol;         ///< by ALPN (RFC 7301); empty = none
    std::string server_name;      ///< the host that the client asked for (SNI, RFC 6066); empty = none
    std::string version;          ///< "TLSv1.3"
    int version_number = 0;       ///< as it stands on the wire: 0x0304
    std::string cipher;           ///< by OpenSSL's name
    std::uint16_t cipher_id = 0;  ///< by IANA's number
    std::optional<client_identity> client;                  ///< none = the client showed no certificate
    std::shared_ptr<const std::string> server_certificate;  ///< PEM
};

}  // namespace unicoro::tls

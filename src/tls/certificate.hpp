// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "tls/agreement.hpp"
#include "tls/handles.hpp"
#include "tls/material.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace unicoro::tls {

/// A certificate that can be served: read, with its key, and valid now.
struct certificate {
    certificate_handle leaf;
    std::vector<certificate_handle> issuers;  ///< as the file had them behind it
    key_handle key;
    int key_kind = 0;   ///< EVP_PKEY_RSA, EVP_PKEY_EC, ...
    std::string names;  ///< the hosts it is for, in OpenSSL's words and sorted
};

/// Fails with the file and what is wrong in it.
[[nodiscard]] os::outcome<certificate> read_certificate(const pem_pair& from);

/// Every certificate of a PEM text, in its order; nothing when there is none, or one that cannot be read.
[[nodiscard]] std::vector<certificate_handle> read_certificates(const std::string& text);

/// Why an OCSP response (DER) cannot be shown beside a certificate (the first of a PEM text); empty = it can.
[[nodiscard]] std::string fault_in_staple(const std::string& staple, const std::string& certificate);

/// Until when it may be shown, in seconds since 1970; 0 = it does not say.
[[nodiscard]] std::int64_t end_of_staple(const std::string& staple);

/// As PEM.
[[nodiscard]] std::string pem_of(X509* certificate);

/// Who it says that its owner is.
[[nodiscard]] client_identity identity_of(X509* certificate);

}  // namespace unicoro::tls

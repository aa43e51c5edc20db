// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "tls/agreement.hpp"
#include "tls/handles.hpp"
#include "tls/material.hpp"

#include <string>
#include <vector>

namespace unicoro::tls {

/// A certificate that can be served: read, with its key, and valid now.
struct certificate {
    certificate_handle leaf;
    std::vector<certificate_handle> issuers;  ///< as the file had them behind it
    key_handle key;
    int key_kind = 0;   ///< EVP_PKEY_RSA, EVP_PKEY_EC, ...
    std::string names;  ///< the hosts it is for, in OpenSSL's words
};

/// Fails with the file and what is wrong in it.
[[nodiscard]] os::outcome<certificate> read_certificate(const pem_pair& from);

/// Every certificate of a PEM text, in its order.
[[nodiscard]] std::vector<certificate_handle> read_certificates(const std::string& text);

/// As PEM.
[[nodiscard]] std::string pem_of(X509* certificate);

/// Who it says that its owner is.
[[nodiscard]] client_identity identity_of(X509* certificate);

}  // namespace unicoro::tls

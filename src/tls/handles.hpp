// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace unicoro::tls {

/// Frees what OpenSSL has made.
template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* what) const noexcept {
        Free(what);
    }
};

using bio_handle = std::unique_ptr<BIO, freed_by<&BIO_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<&X509_free>>;
using context_handle = std::unique_ptr<SSL_CTX, freed_by<&SSL_CTX_free>>;
using key_handle = std::unique_ptr<EVP_PKEY, freed_by<&EVP_PKEY_free>>;
using session_handle = std::unique_ptr<SSL, freed_by<&SSL_free>>;

}  // namespace unicoro::tls

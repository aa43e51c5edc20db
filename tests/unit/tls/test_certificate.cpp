// SPDX-License-Identifier: MIT
#include "unit/tls/test_certificate.hpp"

#include "tls/certificate.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace unicoro::tls {
namespace {

std::string pem_of(EVP_PKEY* key) {
    const bio_handle out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

}  // namespace

pem_pair make_pair(long begin, long end) {
    const key_handle key(EVP_EC_gen("P-256"));
    const certificate_handle made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), begin);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), end);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME* const name = X509_get_subject_name(made.get());
    const auto* const text = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(made.get(), name);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(made.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(made.get(), key.get(), EVP_sha256());
    return {{"site.pem", "site.key"}, pem_of(made.get()), pem_of(key.get()), {}};
}

material make_material() {
    material made;
    made.pairs.push_back(make_pair());
    made.how.pairs.push_back(made.pairs.front().from);
    made.how.protocols = {"h2", "http/1.1"};
    made.tickets = make_ticket_secret();
    return made;
}

}  // namespace unicoro::tls

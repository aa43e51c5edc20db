// SPDX-License-Identifier: MIT
#include "tls/certificate.hpp"

#include "base/text.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <utility>

namespace unicoro::tls {
namespace {

os::failure wrong(const std::string& file, const std::string& what) {
    return {os::system_error(EINVAL), base::printable(file) + ": " + what};
}

bio_handle memory_of(const std::string& text) {
    return bio_handle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// There is nobody to ask for one.
int no_passphrase(char*, int, int, void*) noexcept {
    return -1;
}

std::string text_of(const bio_handle& memory) {
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory.get(), &text);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

std::string text_of(const ASN1_TIME* when) {
    const bio_handle out(BIO_new(BIO_s_mem()));
    ASN1_TIME_print(out.get(), when);
    return text_of(out);
}

std::string names_of(X509* leaf) {
    const bio_handle out(BIO_new(BIO_s_mem()));
    const int place = X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1);
    if (place >= 0) X509V3_EXT_print(out.get(), X509_get_ext(leaf, place), 0, 0);
    return text_of(out);
}

os::outcome<void> check_time(X509* leaf, const std::string& file) {
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) {
        return wrong(file, "the certificate expired on " + text_of(X509_get0_notAfter(leaf)) + ": renew it");
    }
    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) {
        const std::string begin = text_of(X509_get0_notBefore(leaf));
        return wrong(file, "the certificate is not valid before " + begin + ": is the clock right?");
    }
    return {};
}

}  // namespace

std::vector<certificate_handle> read_certificates(const std::string& text) {
    std::vector<certificate_handle> found;
    const bio_handle from = memory_of(text);
    while (certificate_handle next{PEM_read_bio_X509(from.get(), nullptr, &no_passphrase, nullptr)}) {
        found.push_back(std::move(next));
    }
    ERR_clear_error();
    return found;
}

os::outcome<certificate> read_certificate(const pem_pair& from) {
    const std::string& file = from.from.certificate;
    const std::string& key_file = from.from.key.value_or(file);
    certificate made;
    made.issuers = read_certificates(from.certificate);
    if (made.issuers.empty()) return wrong(file, "there is no certificate in it (PEM is expected)");
    made.leaf = std::move(made.issuers.front());
    made.issuers.erase(made.issuers.begin());
    made.key.reset(PEM_read_bio_PrivateKey(memory_of(from.key).get(), nullptr, &no_passphrase, nullptr));
    if (!made.key) {
        const bool locked = from.key.find("ENCRYPTED") != std::string::npos;
        ERR_clear_error();
        return wrong(
            key_file,
            locked ? "the key has a passphrase, and there is nobody to ask for it: remove it (openssl pkey)"
                   : "there is no private key in it (PEM is expected)"
        );
    }
    if (X509_check_private_key(made.leaf.get(), made.key.get()) != 1) {
        ERR_clear_error();
        return wrong(key_file, "the key does not belong to the certificate in " + base::printable(file));
    }
    if (const auto valid = check_time(made.leaf.get(), file); !valid) return valid.error();
    made.key_kind = EVP_PKEY_get_base_id(made.key.get());
    made.names = names_of(made.leaf.get());
    return made;
}

std::string pem_of(X509* certificate) {
    const bio_handle out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), certificate);
    return text_of(out);
}

client_identity identity_of(X509* certificate) {
    const auto name = [](const X509_NAME* of) {
        const bio_handle out(BIO_new(BIO_s_mem()));
        X509_NAME_print_ex(out.get(), of, 0, XN_FLAG_RFC2253);
        return text_of(out);
    };
    const bio_handle serial(BIO_new(BIO_s_mem()));
    i2a_ASN1_INTEGER(serial.get(), X509_get0_serialNumber(certificate));
    return {
        pem_of(certificate),
        name(X509_get_subject_name(certificate)),
        name(X509_get_issuer_name(certificate)),
        text_of(serial),
        text_of(X509_get0_notBefore(certificate)),
        text_of(X509_get0_notAfter(certificate)),
    };
}

}  // namespace unicoro::tls

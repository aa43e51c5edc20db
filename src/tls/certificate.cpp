// SPDX-License-Identifier: MIT
#include "tls/certificate.hpp"

#include "base/text.hpp"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>

namespace unicoro::tls {
namespace {

/// A file, and the setting that names it.
struct named_file {
    std::string_view setting;
    std::string path;
};

os::failure wrong(const named_file& file, const std::string& what) {
    return {
        os::system_error(EINVAL), std::string(file.setting) + ": " + base::printable(file.path) + ": " + what
    };
}

bio_handle memory_of(const std::string& text) {
    return bio_handle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

using number_handle = std::unique_ptr<BIGNUM, freed_by<&BN_free>>;

struct freed_text {
    void operator()(char* text) const noexcept { OPENSSL_free(text); }
};
using text_handle = std::unique_ptr<char, freed_text>;

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
    std::vector<std::string> names = base::split_list(text_of(out));
    std::ranges::sort(names);
    std::string sorted;
    for (const std::string& each : names) sorted += each + ',';
    return sorted;
}

using response_handle = std::unique_ptr<OCSP_RESPONSE, freed_by<&OCSP_RESPONSE_free>>;
using basic_response_handle = std::unique_ptr<OCSP_BASICRESP, freed_by<&OCSP_BASICRESP_free>>;

struct read_staple {
    basic_response_handle of;
    OCSP_SINGLERESP* single = nullptr;  // null = there is none that is good
    ASN1_GENERALIZEDTIME* until = nullptr;
    bool good = false;
};

read_staple read_response(const std::string& staple) {
    read_staple made;
    const auto* data = reinterpret_cast<const unsigned char*>(staple.data());
    const response_handle response(d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(staple.size())));
    const bool successful =
        response && OCSP_response_status(response.get()) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
    if (successful) made.of.reset(OCSP_response_get1_basic(response.get()));
    if (made.of) made.single = OCSP_resp_get0(made.of.get(), 0);
    if (made.single != nullptr) {
        const int status = OCSP_single_get0_status(made.single, nullptr, nullptr, nullptr, &made.until);
        made.good = status == V_OCSP_CERTSTATUS_GOOD;
    }
    ERR_clear_error();
    return made;
}

os::outcome<void> check_time(X509* leaf, const named_file& file) {
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
    const bool complete = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!complete) found.clear();
    return found;
}

std::string fault_in_staple(const std::string& staple, const std::string& certificate) {
    const read_staple told = read_response(staple);
    const auto chain = read_certificates(certificate);
    if (told.single == nullptr) return "it is no OCSP response (DER is expected)";
    if (!told.good) return "it does not call the certificate good";
    ASN1_INTEGER* serial = nullptr;
    auto* const id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(told.single));
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, id);
    if (chain.empty() || ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(chain.front().get())) != 0) {
        return "it is for another certificate";
    }
    if (told.until != nullptr && X509_cmp_current_time(told.until) < 0) return "it has expired";
    return {};
}

std::int64_t end_of_staple(const std::string& staple) {
    const read_staple told = read_response(staple);
    std::tm parts{};
    if (told.until == nullptr || ASN1_TIME_to_tm(told.until, &parts) != 1) return 0;
    return timegm(&parts);
}

os::outcome<certificate> read_certificate(const pem_pair& from) {
    const named_file file{from.from.setting_of_certificate(), from.from.certificate};
    const named_file key_file{from.from.setting_of_key(), from.from.key.value_or(from.from.certificate)};
    certificate made;
    made.issuers = read_certificates(from.certificate);
    if (made.issuers.empty())
        return wrong(file, "there is no certificate in it, or one that cannot be read (PEM is expected)");
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
        return wrong(key_file, "the key does not belong to the certificate in " + base::printable(file.path));
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
    const number_handle serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
    const text_handle digits(serial ? BN_bn2hex(serial.get()) : nullptr);
    return {
        pem_of(certificate),
        name(X509_get_subject_name(certificate)),
        name(X509_get_issuer_name(certificate)),
        digits ? digits.get() : "",
        text_of(X509_get0_notBefore(certificate)),
        text_of(X509_get0_notAfter(certificate)),
    };
}

}  // namespace unicoro::tls

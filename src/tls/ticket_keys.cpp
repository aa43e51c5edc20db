// SPDX-License-Identifier: MIT
#include "tls/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace unicoro::tls {
namespace {

constexpr int iv_length = 16;

std::uint64_t period_now() noexcept {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(now / ticket_keys::life);
}

bool use_mac(EVP_MAC_CTX* mac, const ticket_keys::key& with) noexcept {
    char digest[] = "SHA256";
    // OpenSSL's parameters do not know const, and this one is only read.
    auto* const secret = const_cast<unsigned char*>(with.mac.data());
    const std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, with.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

}  // namespace

bool ticket_keys::derive(std::uint64_t period, key& into) const noexcept {
    std::array<unsigned char, 9> what{};
    for (std::size_t i = 0; i < 8; ++i) what[i] = static_cast<unsigned char>(period >> (8 * i));
    std::array<std::array<unsigned char, 32>, 3> made{};
    for (std::size_t part = 0; part < made.size(); ++part) {
        what[8] = static_cast<unsigned char>(part);
        unsigned int length = 0;
        const auto* const done = HMAC(
            EVP_sha256(),
            secret_.data(),
            static_cast<int>(secret_.size()),
            what.data(),
            what.size(),
            made[part].data(),
            &length
        );
        if (done == nullptr) return false;
    }
    std::copy_n(made[0].begin(), into.name.size(), into.name.begin());
    into.cipher = made[1];
    into.mac = made[2];
    return true;
}

const ticket_keys::key* ticket_keys::of_period(std::uint64_t period) const noexcept {
    period_key& place = known_[period % known_.size()];
    if (place.period != period) {
        if (!derive(period, place.with)) return nullptr;
        place.period = period;
    }
    return &place.with;
}

const ticket_keys::key* ticket_keys::current() const noexcept {
    return of_period(period_now());
}

ticket_keys::found ticket_keys::find(const unsigned char* name) const noexcept {
    const std::uint64_t now = period_now();
    for (std::uint64_t back = 0; back < 2; ++back) {
        const key* const known = of_period(now - back);
        if (known != nullptr && CRYPTO_memcmp(known->name.data(), name, known->name.size()) == 0) {
            return {known, back != 0};
        }
    }
    return {};
}

int ticket_keys::prepare(
    unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool encrypt
) const noexcept {
    if (encrypt) {
        const key* const with = current();
        if (with == nullptr || RAND_bytes(iv, iv_length) != 1) return -1;
        std::ranges::copy(with->name, name);
        const bool ready =
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, with->cipher.data(), iv) == 1 &&
            use_mac(mac, *with);
        return ready ? 1 : -1;
    }
    const found known = find(name);
    if (known.with == nullptr) return 0;
    const bool ready =
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, known.with->cipher.data(), iv) == 1 &&
        use_mac(mac, *known.with);
    if (!ready) return -1;
    return known.renew ? 2 : 1;
}

}  // namespace unicoro::tls

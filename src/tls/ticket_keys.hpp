// SPDX-License-Identifier: MIT
#pragma once

#include "tls/material.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstdint>

namespace unicoro::tls {

/// Keys of session tickets (RFC 5077, RFC 8446 4.6.1), derived from a secret and the time, so that all
/// workers have the same ones without a word. A key makes tickets for `life`, and is accepted as long again.
class ticket_keys {
  public:
    static constexpr std::chrono::hours life{12};

    explicit ticket_keys(const ticket_secret& secret) noexcept : secret_(secret) {}

    struct key {
        std::array<unsigned char, 16> name;
        std::array<unsigned char, 32> cipher;
        std::array<unsigned char, 32> mac;
    };

    /// The one that makes tickets now; null when OpenSSL cannot derive it.
    [[nodiscard]] const key* current() const noexcept;

    struct found {
        const key* with = nullptr;
        bool renew = false;  ///< the client is to get a newer ticket
    };

    /// The one of this name, if its tickets are still accepted.
    [[nodiscard]] found find(const unsigned char* name) const noexcept;

    /// What SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants of its callback.
    [[nodiscard]] int prepare(
        unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool encrypt
    ) const noexcept;

  private:
    /// Of 12 hours since 1970.
    struct period_key {
        std::uint64_t period = 0;
        key with{};
    };

    [[nodiscard]] const key* of_period(std::uint64_t period) const noexcept;
    [[nodiscard]] bool derive(std::uint64_t period, key& into) const noexcept;

    ticket_secret secret_;
    mutable std::array<period_key, 2> known_;  // by the last bit of their periods
};

}  // namespace unicoro::tls

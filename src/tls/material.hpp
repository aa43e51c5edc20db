// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::tls {

/// Whether a client shows a certificate: never, if it likes, or it is refused.
enum class client_certificate : std::uint8_t { none, optional, required };

enum class protocol_version : std::uint8_t { tls_1_2, tls_1_3 };

/// The files of one certificate; a key that is not named is in the certificate's file.
struct pair_files {
    std::string certificate;
    std::optional<std::string> key;
    bool further = false;  ///< beside the first: of the setting `certificates`, for messages

    [[nodiscard]] std::string_view setting_of_certificate() const noexcept {
        return further ? "certificates" : "certfile";
    }
    [[nodiscard]] std::string_view setting_of_key() const noexcept {
        if (further) return "certificates";
        return key ? "keyfile" : "certfile";
    }
};

/// What encrypted connections are to be like.
struct configuration {
    std::vector<pair_files> pairs;        ///< the first is for clients that name no host, or another one
    std::optional<std::string> ca_certs;  ///< authorities of client certificates
    client_certificate from_client = client_certificate::none;
    std::optional<std::string> ciphers;       ///< of TLS 1.2, OpenSSL's notation; none = the library's choice
    std::optional<std::string> ciphersuites;  ///< of TLS 1.3
    protocol_version oldest = protocol_version::tls_1_2;
    std::vector<std::string> protocols;  ///< for ALPN (RFC 7301), the preferred one first
};

/// A certificate with its key, as the files had it.
struct pem_pair {
    pair_files from;
    std::string certificate;  ///< with the chain behind it
    std::string key;
    std::string staple;  ///< DER of the OCSP response in `from.certificate`.ocsp; empty = none that is good
};

/// From which the keys of session tickets are derived, by all workers alike.
using ticket_secret = std::array<unsigned char, 32>;

/// What a configuration names, read while there was the right to. Copied by fork into every worker.
struct material {
    configuration how;
    std::vector<pem_pair> pairs;
    std::string client_authorities;  ///< PEM
    ticket_secret tickets{};
};

[[nodiscard]] ticket_secret make_ticket_secret();

/// Reads the files. Nothing is looked into: `context::make` does that.
[[nodiscard]] os::outcome<material> read_material(const configuration& how, const ticket_secret& tickets);

/// The files that it reads, and those that it would read if they were there.
[[nodiscard]] std::vector<std::string> files_of(const configuration& how);

/// For a process that may not read the files.
[[nodiscard]] std::string packed(const material& what);
/// Fails where it was not packed by this version of the program.
[[nodiscard]] os::outcome<material> unpacked(std::string_view text);

}  // namespace unicoro::tls

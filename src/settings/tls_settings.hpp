// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::settings {

/// The oldest that clients may speak.
enum class tls_version { tls_1_2, tls_1_3 };

/// How connections are encrypted; each member has the name of its setting.
struct tls_settings {
    std::optional<std::string> certfile;    ///< none = no TLS
    std::optional<std::string> keyfile;     ///< none = in `certfile`
    std::vector<std::string> certificates;  ///< files with a key, or folders as certbot makes them
    std::optional<std::string> ca_certs;
    int cert_reqs = 0;  ///< of clients: 0 = none, 1 = optional, 2 = required
    std::optional<std::string> ciphers;
    std::optional<std::string> ciphersuites;
    tls_version tls_min_version = tls_version::tls_1_2;
    std::size_t tls_max_handshakes = 0;  ///< at once in a worker; 0 = any number
};

}  // namespace unicoro::settings

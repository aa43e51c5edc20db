// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "tls/material.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace unicoro::tls {

struct context_parts;

/// Certificates and rules that sessions are made with. Immutable; sessions need what they were made with only
/// until their handshake is over, and share it until then.
class context {
  public:
    /// Fails with the file, and what is wrong in it: no certificate, another key, expired, not valid yet.
    [[nodiscard]] static os::outcome<std::shared_ptr<const context>> make(const material& from);

    explicit context(std::unique_ptr<context_parts> made) noexcept;
    ~context();
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    /// The server's side of a new session, owned by the caller; null without memory.
    [[nodiscard]] SSL* start() const noexcept;

  private:
    std::unique_ptr<context_parts> parts_;
};

/// What a session of a context has shown to its client, in PEM.
[[nodiscard]] std::shared_ptr<const std::string> served_certificate(const SSL* session) noexcept;

/// Why OpenSSL's last call on this thread failed; empties its queue of errors.
[[nodiscard]] std::string last_reason();

}  // namespace unicoro::tls

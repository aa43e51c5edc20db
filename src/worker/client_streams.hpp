// SPDX-License-Identifier: MIT
#pragma once

#include "master/worker_launch.hpp"
#include "worker/proxied_stream.hpp"
#include "worker/socket_stream.hpp"
#include "worker/tls_stream.hpp"

#include <optional>

namespace unicoro::worker {

struct serving;

/// What carries the clients' bytes, one on the other as the settings want them: sockets, a header of the
/// PROXY protocol, TLS. Owned by the worker, lives longer than its connections.
class client_streams {
  public:
    client_streams(serving& shared, const master::worker_launch& how);
    client_streams(const client_streams&) = delete;
    client_streams& operator=(const client_streams&) = delete;

    [[nodiscard]] stream_factory& of_clients() noexcept { return *top_; }
    /// As nobody announces or encrypts anything.
    [[nodiscard]] stream_factory& plain() noexcept { return sockets_; }

    /// New connections get the certificates in the file, which the master has handed over.
    void renew_certificates(int file);

  private:
    socket_streams sockets_;
    proxied_streams proxied_;
    std::optional<tls_streams> encrypted_;
    stream_factory* top_ = &sockets_;
};

}  // namespace unicoro::worker

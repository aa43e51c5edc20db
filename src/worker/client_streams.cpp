// SPDX-License-Identifier: MIT
#include "worker/client_streams.hpp"

#include "worker/serving.hpp"

namespace unicoro::worker {

client_streams::client_streams(serving& shared, const master::worker_launch& how)
    : sockets_(shared.io, shared.deadlines),
      proxied_(sockets_, shared.balancers, how.settings.proxy_protocol) {
    if (how.settings.proxy_protocol != http::proxy_protocol::off) top_ = &proxied_;
    if (!how.certificates) return;
    top_ = &encrypted_.emplace(
        shared.io, *top_, how.certificates, how.settings.tls.tls_max_handshakes, shared.counts
    );
}

void client_streams::renew_certificates(int file) {
    if (encrypted_) encrypted_->renew(file);
}

}  // namespace unicoro::worker

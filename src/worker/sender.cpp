// SPDX-License-Identifier: MIT
#include "worker/sender.hpp"

namespace unicoro::worker {
namespace {

bool is_trusted(const app::connection_info& info, const base::trust_list& forwarders) {
    if (info.unix_socket || forwarders.everyone()) return true;
    const auto address = base::ip_address::parse(info.peer_address());
    return address && forwarders.contains(*address);
}

// A balancer that announces clients need not read HTTP: then the fields are the client's.
bool announces_stranger(const app::connection_info& info, const base::trust_list& forwarders) {
    if (!info.stream || !info.stream->proxied || info.remote_address.empty()) return false;
    const auto client = base::ip_address::parse(info.remote_address);
    return !client || !forwarders.names(*client);
}

}  // namespace

http::peer sender_of(const app::connection_info& info, const base::trust_list& forwarders) {
    const bool trusted = is_trusted(info, forwarders);
    const bool passes_on = trusted && !announces_stranger(info, forwarders);
    http::peer sender(
        trusted ? http::peer_trust::trusted : http::peer_trust::untrusted,
        info.secure(),
        passes_on ? &forwarders : nullptr
    );
    if (info.stream && info.stream->tls) sender.server_name = info.stream->tls->server_name;
    return sender;
}

}  // namespace unicoro::worker

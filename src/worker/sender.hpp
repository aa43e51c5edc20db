// SPDX-License-Identifier: MIT
#pragma once

#include "app/connection_info.hpp"
#include "base/ip_network.hpp"
#include "http/policy.hpp"

namespace unicoro::worker {

/// Whom the requests of a connection come from. Trust rests on the socket's peer (`forwarders`, and peers on
/// unix sockets); what it says of hops and hosts is its own word only where no balancer has announced a
/// client that is none of the proxies. `forwarders` lives as long as the worker, and `info` as the
/// connection.
[[nodiscard]] http::peer sender_of(const app::connection_info& info, const base::trust_list& forwarders);

}  // namespace unicoro::worker

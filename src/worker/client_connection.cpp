// SPDX-License-Identifier: MIT
#include "worker/client_connection.hpp"

#include "worker/serving.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

void tell_connections(serving& shared) noexcept {
    shared.slot.connections.store(static_cast<std::uint32_t>(shared.connections), std::memory_order_relaxed);
    shared.turn.count(shared.connections);
}

}  // namespace

client_connection::client_connection(
    serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info
)
    : shared_(shared), stream_(std::move(stream)), info_(std::move(info)) {
    ++shared_.connections;
    shared_.counts.add(scoreboard::counter::connections);
    tell_connections(shared_);
}

client_connection::~client_connection() {
    --shared_.connections;
    tell_connections(shared_);
    shared_.room_comes = false;
    shared_.room.cancel();
}

std::string client_connection::name() const {
    return info_.unix_socket ? "connection on " + std::string(info_.local_address)
                             : "connection from " + info_.remote_address;
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "worker/serving.hpp"
#include "worker/stream_factory.hpp"

#include <cstdint>
#include <string>

namespace unicoro::worker {

/// A socket to accept from, owned by the caller for the worker's whole life.
struct listening_socket {
    int fd = -1;
    std::string address;  ///< of the socket; the path when unix
    std::uint16_t port = 0;
    bool unix_socket = false;
    std::string text;  ///< as start-up lines show it
};

/// Accepts until cancelled: waits while worker_connections are open, outlives every error of
/// accept(2). Each connection gets a stream of `streams` and becomes a task of `connections`.
awaitable<void> accept_loop(
    serving& shared, const listening_socket& from, stream_factory& streams, aio::task_group& connections
);

/// Takes what already waits in the backlog, without waiting. For a worker that is about to close.
void accept_backlog(
    serving& shared, const listening_socket& from, stream_factory& streams, aio::task_group& connections
);

}  // namespace unicoro::worker

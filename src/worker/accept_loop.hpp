// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "os/listener.hpp"
#include "worker/serving.hpp"
#include "worker/stream_factory.hpp"

namespace unicoro::worker {

/// Accepts until cancelled. While worker_connections are open, a new one is left to a sibling that has room;
/// else the longest idle one gives way to it, and where none is idle it waits. Outlives every error of
/// accept(2). Each connection gets a stream of `streams` and becomes a task of `connections`.
awaitable<void> accept_loop(
    serving& shared, const os::listener& from, stream_factory& streams, aio::task_group& connections
);

/// Takes what already waits in the backlog, without waiting; false when there may be more than it has room
/// for. For a worker that is about to close.
[[nodiscard]] bool accept_backlog(
    serving& shared, const os::listener& from, stream_factory& streams, aio::task_group& connections
);

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "os/listener.hpp"
#include "worker/stream_factory.hpp"

#include <span>
#include <string>

namespace unicoro::worker {

struct serving;

/// Before a worker serves: the requests of the setting `warm_up`, one after the other, on connections of its
/// own over socket pairs, on the way that every request takes. What was answered with a status below 500, and
/// whole, will do. Returns what is wrong with the first that was not; empty when all were, or when the worker
/// was told to end meanwhile. What is referred to outlives the connections.
awaitable<std::string> warm_up(
    serving& shared,
    std::span<const os::listener> listeners,
    stream_factory& streams,
    aio::task_group& connections
);

}  // namespace unicoro::worker

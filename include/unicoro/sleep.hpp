// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>

#include <chrono>

namespace unicoro {

/// Suspends this coroutine without holding the worker. Throws operation_aborted when cancelled.
awaitable<void> sleep_for(std::chrono::nanoseconds duration);

}  // namespace unicoro

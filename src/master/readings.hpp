// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/scoreboard.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace unicoro::master {

/// A moment of CLOCK_MONOTONIC.
using instant = std::chrono::nanoseconds;

using generation_id = std::uint64_t;

/// What a worker says in its slot of the scoreboard, unchecked.
struct slot_reading {
    std::size_t slot = 0;
    scoreboard::worker_state state = scoreboard::worker_state::vacant;
    instant heartbeat{0};
};

/// What a worker has in memory, as the kernel tells it.
struct memory_reading {
    pid_t pid = 0;
    std::uint64_t bytes = 0;
    bool proportional = true;  ///< or resident: what it shares counts in full
};

/// What the kernel's count of those that it has killed for want of memory says of an end by SIGKILL.
struct kill_evidence {
    bool out_of_memory = false;  ///< it has risen
    std::uint64_t count = 0;
    std::string source;  ///< the file of the count; empty = there is none
};

/// "312.5 MiB of memory (proportional)"
[[nodiscard]] std::string text_of(const memory_reading& reading);

/// "312.5 MiB"
[[nodiscard]] std::string mebibytes(std::uint64_t bytes);

}  // namespace unicoro::master

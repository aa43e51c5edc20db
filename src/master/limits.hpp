// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace unicoro::master {

/// When a worker is replaced though nothing is wrong with it; 0 = never. Each worker has its own limit: up to
/// the jitter is added at random.
struct recycling {
    std::chrono::milliseconds lifetime{0};
    std::chrono::milliseconds lifetime_jitter{0};
    std::uint64_t memory = 0;  ///< bytes
    std::uint64_t memory_jitter = 0;
    std::uint64_t memory_limit = 0;  ///< beyond this it is ended at once
    int share = 25;                  ///< percent of the workers that are replaced at a time; one at least
};

/// What the core needs of the settings.
struct limits {
    int workers = 1;
    std::chrono::milliseconds timeout{30'000};
    std::chrono::milliseconds graceful_timeout{30'000};
    std::chrono::milliseconds boot_timeout{60'000};
    bool workers_retire = true;  ///< there is something for which a worker asks to be replaced
    recycling recycle = {};
    std::chrono::milliseconds shutdown_delay{0};
    bool monitor = false;  ///< there is a process that tells others of the server
    bool preload = false;  ///< workers are forked by a process that has loaded the application
};

}  // namespace unicoro::master

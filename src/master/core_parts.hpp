// SPDX-License-Identifier: MIT
#pragma once

#include "master/limits.hpp"
#include "master/readings.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

/// What the core remembers.
namespace unicoro::master::core_parts {

struct options {
    std::size_t slots = 1;   ///< places for workers in the scoreboard, draining ones included
    int most_workers = 1;    ///< TTIN stops here
    bool daemon = false;     ///< WINCH counts only then, as gunicorn
    bool trial = false;      ///< one worker, to see whether it becomes ready; then the end, with code 0
    std::uint64_t seed = 0;  ///< of the jitter
};

/// A worker of the program that this process was before.
struct inherited_worker {
    std::size_t slot = 0;
    pid_t pid = 0;
    instant born{0};
    std::optional<instant> leaves_by;  ///< it has been told to end
};

enum class phase {
    booting,
    serving,
    leaving,  // told to end; `deadline` = SIGKILL
    aborted,  // sent SIGABRT; `deadline` = SIGKILL
    killed,   // sent SIGKILL
};

struct worker {
    std::size_t slot = 0;
    std::uint64_t age = 0;
    generation_id generation = 0;
    pid_t pid = 0;  // 0 = its fork is ordered
    phase at = phase::booting;
    bool expected = false;  // its end is wanted, it does not count as a worker any more
    bool was_ready = false;
    bool retiring = false;
    bool distrusted = false;  // a warning about it was written
    bool over_limit = false;  // of memory
    bool inherited = false;   // of the program before: it cannot be heard, and not be started again
    instant born{0};
    instant ready_at{0};
    instant heard{0};  // last sign of life
    std::optional<instant> deadline;
    std::optional<instant> retire_at;
    std::uint64_t most_memory = 0;  // 0 = any
    std::optional<memory_reading> memory;
};

/// What has the application of a generation and forks its workers.
struct preloader {
    enum class stage { loading, ready, aborted, killed };
    generation_id generation = 0;
    pid_t pid = 0;
    stage at = stage::loading;
    bool expected = false;  // its end is wanted
    instant ready_at{0};
    std::optional<instant> deadline;
};

/// What tells others of the server.
struct monitor {
    generation_id generation = 0;
    pid_t pid = 0;          // 0 = its fork is ordered
    bool expected = false;  // its end is wanted
    instant born{0};
    std::optional<instant> deadline;
};

struct generation {
    generation_id id = 0;
    limits values;
    int strength = 0;
    bool proven = false;           // a worker of it was ready
    bool settled = false;          // no earlier generation has workers to keep
    unsigned failures = 0;         // young deaths in a row
    std::uint64_t failed_age = 0;  // the youngest worker when the last one was counted
    instant next_spawn = instant::min();
};

struct upgrade {
    enum class stage {
        waiting,  // for a reload, or for the first workers
        trying,   // `pid` shows what it can
        proven,   // this process becomes the program
    };
    stage at = stage::waiting;
    pid_t pid = 0;
    std::optional<instant> deadline;
    bool overdue = false;
};

/// shutdown_delay: told to end, and still serving as ever.
struct closing {
    instant told{0};
    instant until{0};
};

struct stopping {
    int code = 0;
    instant told{0};
    instant give_up{0};  // even SIGKILL did not help
};

}  // namespace unicoro::master::core_parts

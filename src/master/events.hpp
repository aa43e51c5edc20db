// SPDX-License-Identifier: MIT
#pragma once

#include "master/limits.hpp"
#include "master/readings.hpp"

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace unicoro::master {

/// What can happen to the master.
namespace event {

/// Time has passed, or a worker has rung; comes with the whole scoreboard of running workers.
struct tick {
    std::vector<slot_reading> readings;
};

struct signal_arrived {
    int signal = 0;
};

/// Comes about once a second while anything is limited by memory.
struct memory_read {
    std::vector<memory_reading> readings;
};

/// Any child of the process, a worker or not; `status` as wait(2) gives it.
struct child_ended {
    pid_t pid = 0;
    int status = 0;
    kill_evidence evidence = {};
};

struct spawned {
    std::size_t slot = 0;
    pid_t pid = 0;
};

struct spawn_failed {
    std::size_t slot = 0;
    std::string reason;
};

/// The answers to `action::preload`.
struct preloader_started {
    generation_id generation = 0;
    pid_t pid = 0;
};

struct preloader_failed {
    generation_id generation = 0;
    std::string reason;
};

/// It has the application and can fork.
struct preloader_ready {
    generation_id generation = 0;
};

/// The answers to `action::start_monitor`.
struct monitor_started {
    generation_id generation = 0;
    pid_t pid = 0;
};

struct monitor_failed {
    generation_id generation = 0;
    std::string reason;
};

/// The answer to `action::reload_settings`: they are good, and the generation is prepared.
struct settings_accepted {
    generation_id generation = 0;
    limits values;
};

/// The other answer: nothing has changed.
struct settings_refused {
    std::vector<std::string> errors;
};

/// The answer to `action::start_trial`: the program runs as this child. Its end is a `child_ended`.
struct trial_started {
    pid_t pid = 0;
};

/// The other answer, and the one to `action::become_successor` when this process is still what it was.
struct upgrade_failed {
    std::string reason;
};

}  // namespace event

using any_event = std::variant<
    event::tick,
    event::memory_read,
    event::signal_arrived,
    event::child_ended,
    event::spawned,
    event::spawn_failed,
    event::preloader_started,
    event::preloader_failed,
    event::preloader_ready,
    event::monitor_started,
    event::monitor_failed,
    event::settings_accepted,
    event::settings_refused,
    event::trial_started,
    event::upgrade_failed>;

}  // namespace unicoro::master

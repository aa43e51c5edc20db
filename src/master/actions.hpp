// SPDX-License-Identifier: MIT
#pragma once

#include "log/log.hpp"
#include "master/readings.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace unicoro::master {

/// What the master shall do, in this order.
namespace action {

/// Fork a worker; answered by `spawned` or `spawn_failed`.
struct spawn {
    std::size_t slot = 0;
    std::uint64_t age = 0;
    generation_id generation = 0;
    bool operator==(const spawn&) const = default;
};

/// Fork the process that loads the application and forks the workers of this generation; answered by
/// `preloader_started` or `preloader_failed`.
struct preload {
    generation_id generation = 0;
    bool operator==(const preload&) const = default;
};

/// Fork the monitor; answered by `monitor_started` or `monitor_failed`.
struct start_monitor {
    generation_id generation = 0;
    bool operator==(const start_monitor&) const = default;
};

struct kill {
    pid_t pid = 0;
    int signal = 0;
    bool operator==(const kill&) const = default;
};

struct log_line {
    log::level level = log::level::info;
    std::string message;
    bool operator==(const log_line&) const = default;
};

/// Log the requests that were in flight in this slot, if any.
struct log_requests {
    std::size_t slot = 0;
    pid_t pid = 0;
    log::level level = log::level::warning;
    bool operator==(const log_requests&) const = default;
};

/// Their access-log lines: their worker has died and cannot write them.
struct log_lost {
    std::size_t slot = 0;
    pid_t pid = 0;
    bool operator==(const log_lost&) const = default;
};

/// Open the log files anew, and hand them to the workers.
struct reopen_logs {
    bool operator==(const reopen_logs&) const = default;
};

/// Read the settings anew; answered by `settings_accepted` or `settings_refused`.
struct reload_settings {
    bool operator==(const reload_settings&) const = default;
};

/// The generation has taken over: earlier ones are not spawned any more.
struct settle {
    generation_id generation = 0;
    bool operator==(const settle&) const = default;
};

/// The generation has failed: the one before it stays in force.
struct abandon {
    generation_id generation = 0;
    bool operator==(const abandon&) const = default;
};

/// Tell the service manager, and with the first `ready` whoever waits for the daemon.
struct notify {
    enum class state { ready, reloading, stopping };
    state what = state::ready;
    std::string status;
    bool operator==(const notify&) const = default;
};

/// Start the program anew as a child that shows whether it can serve; answered by `trial_started` or
/// `upgrade_failed`.
struct start_trial {
    bool operator==(const start_trial&) const = default;
};

/// Become the program, in this process and with its workers; answered, if at all, by `upgrade_failed`.
struct become_successor {
    bool operator==(const become_successor&) const = default;
};

/// Tell the workers, those to come included, that the server is about to stop.
struct announce_stop {
    bool operator==(const announce_stop&) const = default;
};

/// Announce the stop, close the listening sockets of the master and remove their files.
struct stop_listening {
    bool operator==(const stop_listening&) const = default;
};

/// The end: no worker is left. Nothing follows.
struct exit {
    int code = 0;
    bool operator==(const exit&) const = default;
};

}  // namespace action

using any_action = std::variant<
    action::spawn,
    action::preload,
    action::start_monitor,
    action::kill,
    action::log_line,
    action::log_requests,
    action::log_lost,
    action::reopen_logs,
    action::reload_settings,
    action::settle,
    action::abandon,
    action::notify,
    action::start_trial,
    action::become_successor,
    action::announce_stop,
    action::stop_listening,
    action::exit>;

using actions = std::vector<any_action>;

}  // namespace unicoro::master

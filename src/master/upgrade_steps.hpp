// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

namespace unicoro::master {

/// What can happen to the master in an upgrade.
namespace event {

/// The answer to `action::start_trial`: the program runs as this child. Its end is a `child_ended`.
struct trial_started {
    pid_t pid = 0;
};

/// The other answer, and the one to `action::become_successor` when this process is still what it was.
struct upgrade_failed {
    std::string reason;
};

}  // namespace event

/// What it does for one.
namespace action {

/// Start the program anew as a child that shows whether it can serve; answered by `trial_started` or
/// `upgrade_failed`.
struct start_trial {
    bool operator==(const start_trial&) const = default;
};

/// Become the program, in this process and with its workers; answered, if at all, by `upgrade_failed`.
struct become_successor {
    bool operator==(const become_successor&) const = default;
};

}  // namespace action
}  // namespace unicoro::master

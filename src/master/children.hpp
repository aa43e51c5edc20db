// SPDX-License-Identifier: MIT
#pragma once

#include "master/actions.hpp"
#include "master/launch_set.hpp"
#include "os/forks.hpp"

#include <sys/types.h>

#include <cstddef>
#include <deque>

namespace unicoro::master {

/// A worker that was forked and not yet collected.
struct running {
    pid_t pid = 0;
    std::size_t slot = 0;
    generation_id generation = former_set;
    os::withheld_fd lifeline;  // the master's end
    std::size_t rings_left;    // 0 = not listened to
};

/// A monitor that was forked and not yet collected.
struct watching {
    pid_t pid = 0;
    os::withheld_fd line;  // the master's end
};

/// A worker that a preloader is to fork.
struct order {
    action::spawn what;
    os::withheld_fd lifeline = {};  // the master's end, once it is sent
    os::withheld_fd memory = {};    // of its slot
    bool missed_files = false;      // some were handed out meanwhile
};

/// A process that has the application of a generation and forks its workers, one after the other: the
/// first of the orders is sent.
struct preloader {
    pid_t pid = 0;
    generation_id generation = 0;
    os::withheld_fd line;  // the master's end; closed when the process has closed its own
    std::deque<order> orders = {};
    instant due = instant::max();  // of its answer, or of its end once the line is closed
};

}  // namespace unicoro::master

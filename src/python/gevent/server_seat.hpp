// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

namespace unicoro::python {

class shared_reactor;
class hub_turn;

namespace gevent {

/// What the server has said about the loop of its thread. Empty in processes that were forked off
/// and where there is no server.
struct server_seat {
    shared_reactor* reactor = nullptr;
    hub_turn* turn = nullptr;
    long held = 0;
    bool leaves = false;
};

[[nodiscard]] server_seat& the_seat() noexcept;

/// Counts the forks between the first process and this one.
[[nodiscard]] unsigned long fork_count() noexcept;

/// The thread that Python's signal handlers run on.
[[nodiscard]] bool on_main_thread() noexcept;

/// Once per process, on that thread.
void watch_forks() noexcept;

}  // namespace gevent

}  // namespace unicoro::python

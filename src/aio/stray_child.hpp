// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::aio {

/// Ends a process that the application forked off (os/forks.hpp) and whose code came back to the server:
/// it must neither answer nor go on serving. Says so in the error log.
[[noreturn]] void end_stray_child() noexcept;

/// From now on a loop that was left behind in such a process (`os::withheld_as::useless`) ends it, when it
/// waits for events that cannot come.
void end_stray_children() noexcept;

}  // namespace unicoro::aio

// SPDX-License-Identifier: MIT
#include "aio/stray_child.hpp"

#include "aio/loop_wait.hpp"
#include "log/log.hpp"
#include "os/forks.hpp"

#include <sys/epoll.h>
#include <unistd.h>

namespace unicoro::aio {
namespace {

int wait_or_end(int epoll, epoll_event* events, int most, int timeout) {
    if (os::is_useless(epoll)) end_stray_child();
    return epoll_wait(epoll, events, most, timeout);
}

}  // namespace

void end_stray_child() noexcept {
    log::write(
        log::level::error,
        "the application forked and its child process came back to the server; ended it. Let the child "
        "call os._exit(), in C++ _exit()"
    );
    // What stdio holds is a copy of what the parent will write.
    ::_exit(1);
}

void end_stray_children() noexcept {
    wait_for_events = &wait_or_end;
}

}  // namespace unicoro::aio

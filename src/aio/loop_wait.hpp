// SPDX-License-Identifier: MIT
#pragma once

#include <sys/epoll.h>

namespace unicoro::aio {

/// What Asio calls as epoll_wait(2), which is what it is unless `stray_child` has put itself before it.
extern int (*wait_for_events)(int epoll, epoll_event* events, int most, int timeout);

}  // namespace unicoro::aio

// SPDX-License-Identifier: MIT
// Asio and Beast are compiled once, here: every other file sees declarations only.
#include "aio/loop_wait.hpp"

namespace unicoro::aio {

int (*wait_for_events)(int, epoll_event*, int, int) = &::epoll_wait;

}  // namespace unicoro::aio

#define epoll_wait ::unicoro::aio::wait_for_events

#include <boost/asio/impl/src.hpp>

#include <boost/beast/src.hpp>

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "os/forks.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/basic_signal_set.hpp>

#include <csignal>

namespace unicoro::aio {

/// Adds a signal to those that a worker's loop takes. Children that the application forks have the handler
/// that was there before.
inline void take_signal(asio::basic_signal_set<executor>& taken, int signal) {
    struct sigaction before{};
    sigaction(signal, nullptr, &before);
    error_code ec;
    taken.add(signal, ec);
    os::withhold_handler(signal, before);
}

}  // namespace unicoro::aio

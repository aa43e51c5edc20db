// SPDX-License-Identifier: MIT
// What only the master knows of for StatsD.
#include "log/metrics.hpp"
#include "master/supervisor.hpp"

#include <algorithm>
#include <cstdint>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// Before a daemon forgets a gauge that does not change.
constexpr instant between_metrics = 1s;

}  // namespace

void supervisor::tell_metrics() {
    if (!log::metrics_enabled()) return;
    const instant now = clock_now();
    if (now < next_metrics_) return;
    next_metrics_ = now + between_metrics;
    log::gauge("gunicorn.workers", std::ranges::ssize(workers_));
    const launch_set& set = sets_.at(settled_);
    if (!set.settings->statsd.enable_backlog_metric) return;
    std::int64_t waiting = 0;
    for (const bound_listener& each : set.listeners) waiting += each.socket.waiting();
    log::gauge("gunicorn.backlog", waiting);
}

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
// What workers have in memory, and which of them the kernel has killed for it.
#include "master/supervisor.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <limits>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

constexpr instant between_weighings = 1s;

// Of the time of one CPU, at most one part in this many is spent on it.
constexpr int share_of_time = 100;

constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

/// Below this nothing follows from what a worker of these settings has.
std::uint64_t least_that_counts(const settings::server_settings& values) {
    std::uint64_t least = none;
    for (const std::uint64_t each : {values.max_worker_memory, values.worker_memory_limit}) {
        if (each > 0) least = std::min(least, each);
    }
    return least;
}

}  // namespace

// Resident memory, a glance, is never less than the proportional one, which takes the kernel a walk through
// the pages: that is asked for only where it can matter.
void supervisor::weigh() {
    const instant began = clock_now();
    if (began < next_weighing_) return;
    next_weighing_ = began + between_weighings;
    oom_kills_seen_ = oom_kills_.read().value_or(0);
    std::uint64_t least = none;
    for (const auto& [id, set] : sets_) least = std::min(least, least_that_counts(*set.settings));
    if (least == none) return;
    event::memory_read seen;
    for (const running& each : workers_) {
        const auto resident = os::resident_memory(each.pid);
        if (!resident) continue;
        const auto proportional =
            *resident > least ? os::proportional_memory(each.pid) : std::optional<std::uint64_t>();
        if (*resident > least && !proportional && !std::exchange(told_of_proportion_, true)) {
            log::warning(
                "The proportional memory of workers cannot be read (/proc/{}/smaps_rollup): what is resident "
                "counts, with all of what they share",
                each.pid
            );
        }
        seen.readings.push_back({each.pid, proportional.value_or(*resident), static_cast<bool>(proportional)}
        );
    }
    next_weighing_ = std::max(next_weighing_, clock_now() + (clock_now() - began) * share_of_time);
    feed(seen);
}

// The kernel counts before it kills. Who else of this cgroup was killed since the last look counts too, but
// that is a second ago at most.
kill_evidence supervisor::evidence_of(int status) {
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return {};
    const auto count = oom_kills_.read();
    if (!count) return {};
    const bool risen = *count > oom_kills_seen_;
    if (risen) ++oom_kills_seen_;
    return {risen, *count, oom_kills_.source()};
}

}  // namespace unicoro::master

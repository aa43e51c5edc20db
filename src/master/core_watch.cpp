// SPDX-License-Identifier: MIT
#include "master/core.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;
using scoreboard::worker_state;

// From SIGABRT to SIGKILL: time for a traceback or a core file.
constexpr instant abort_limit = 2s;

// A worker that serves this long ends a series of young deaths.
constexpr instant stable = 5s;

// The service manager is told "ready" at the latest now, if anyone serves, when there is no boot_timeout.
constexpr instant ready_limit = 60s;

double seconds(std::chrono::milliseconds length) {
    return std::chrono::duration<double>(length).count();
}

}  // namespace

// The slot is written by the worker, and one whose memory is damaged writes anything: what cannot be is
// not believed, and what can be concerns that worker alone.
void core::read(worker& of, const slot_reading& reading) {
    // A sign of life from the future would be one for ever.
    if (reading.heartbeat <= now_) of.heard = std::max(of.heard, reading.heartbeat);
    if (!scoreboard::is_known(reading.state)) return distrust(of);
    const generation* known = find(of.generation);
    const limits& values = (known ? *known : current_).values;
    const bool retires = reading.state == worker_state::retiring;
    if (retires && known && !values.workers_retire) return distrust(of);
    const bool serves = reading.state == worker_state::ready || retires;
    if (of.at == phase::booting && serves) {
        of.at = phase::serving;
        of.was_ready = true;
        of.ready_at = now_;
        of.heard = std::max(of.heard, now_);
        of.deadline.reset();
        if (known) count_lifetime(of, values);
        if (generation* proof = find(of.generation)) proof->proven = true;
        say(log::level::debug, "Worker (pid:{}) is ready", of.pid);
    }
    if (of.at != phase::serving) return;
    if (retires) of.retiring = true;
    if (reading.state == worker_state::draining) {
        // Somebody else told it to end.
        of.at = phase::leaving;
        of.expected = true;
        of.deadline = now_ + values.graceful_timeout;
        say(log::level::info, "Worker (pid:{}) is leaving: something else told it to", of.pid);
        judge_life(of);
    }
}

void core::distrust(worker& of) {
    if (std::exchange(of.distrusted, true)) return;
    say(log::level::warning,
        "Worker (pid:{}) reports a state that cannot be: its memory may be damaged",
        of.pid);
}

void core::watch() {
    for (worker& each : workers_) {
        watch(each);
        retire_by_age(each);
    }
    for (preloader& each : preloaders_) watch(each);
    for (monitor& each : monitors_) watch(each);
    forgive_failures();
}

void core::watch(worker& of) {
    if (of.pid == 0) return;
    const generation* known = find(of.generation);
    const limits& values = (known ? *known : current_).values;
    const bool may_be_silent =
        of.inherited || (of.at != phase::serving && of.at != phase::leaving) || now_ < lenient_until_;
    if (!stopping_ && !may_be_silent && values.timeout > 0ms && now_ - of.heard > values.timeout) {
        say(log::level::critical, "WORKER TIMEOUT (pid:{})", of.pid);
        out_.emplace_back(action::log_requests{of.slot, of.pid, log::level::critical});
        return abort(of);
    }
    if (!of.deadline || now_ < *of.deadline) return;
    switch (of.at) {
        case phase::booting:
            say(log::level::error,
                "Worker (pid:{}) is not ready after boot_timeout ({:g} s)",
                of.pid,
                seconds(values.boot_timeout));
            out_.emplace_back(action::log_requests{of.slot, of.pid, log::level::error});
            return abort(of);
        case phase::leaving:
            say(log::level::warning, "Worker (pid:{}) does not end in time: SIGKILL", of.pid);
            out_.emplace_back(action::log_requests{of.slot, of.pid, log::level::warning});
            break;
        case phase::aborted: break;
        case phase::serving:
        case phase::killed: return;
    }
    send(of, SIGKILL);
    of.at = phase::killed;
    of.deadline.reset();
}

void core::abort(worker& of) {
    send(of, SIGABRT);
    of.at = phase::aborted;
    of.deadline = now_ + abort_limit;
}

void core::forgive_failures() {
    for (generation* of : {&current_, next_ ? &*next_ : nullptr}) {
        if (of == nullptr || of->failures == 0) continue;
        const bool calm = std::ranges::any_of(workers_, [this, of](const worker& each) {
            return each.generation == of->id && each.at == phase::serving && each.age > of->failed_age &&
                   now_ - each.ready_at >= stable;
        });
        if (calm) of->failures = 0;
    }
}

// Ready means that the whole first set serves; if one of them cannot, the others are enough once the
// time a boot may take is over.
void core::announce_ready() {
    if (announced_ || closing_ || stopping_) return;
    const auto serving = std::ranges::count(workers_, phase::serving, &worker::at);
    const limits& values = current_.values;
    const instant limit = values.boot_timeout > 0ms ? instant(values.boot_timeout) : ready_limit;
    if (serving < target().strength && (serving == 0 || now_ < started_ + limit)) return;
    announced_ = true;
    if (options_.trial) return stop(SIGTERM, 0);
    tell_ready(fmt::format("{} workers serve", serving));
}

void core::tell_ready(std::string status) {
    // Who was told that the server stops is not told otherwise.
    if (!announced_ || closing_) return;
    out_.emplace_back(action::notify{action::notify::state::ready, std::move(status)});
}

}  // namespace unicoro::master

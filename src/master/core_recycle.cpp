// SPDX-License-Identifier: MIT
// Workers that are replaced by rule: the time they have served, the memory they have.
#include "master/core.hpp"

#include <algorithm>
#include <csignal>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// For answers to the requests that run, if the worker can still give any.
constexpr instant quick_limit = 2s;

}  // namespace

std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
}

std::string text_of(const memory_reading& reading) {
    return fmt::format(
        "{} of memory ({})", mebibytes(reading.bytes), reading.proportional ? "proportional" : "resident"
    );
}

std::uint64_t core::up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(dice_);
}

void core::set_limits(worker& of, const limits& values) {
    const recycling& rules = values.recycle;
    if (rules.memory > 0) of.most_memory = rules.memory + up_to(rules.memory_jitter);
}

void core::count_lifetime(worker& of, const limits& values) {
    const recycling& rules = values.recycle;
    if (rules.lifetime == 0ms) return;
    const auto jitter = static_cast<std::uint64_t>(rules.lifetime_jitter.count());
    of.retire_at = now_ + rules.lifetime + std::chrono::milliseconds(up_to(jitter));
}

void core::retire_by_age(worker& of) {
    if (!of.retire_at || now_ < *of.retire_at) return;
    of.retire_at.reset();
    if (of.at != phase::serving || of.retiring) return;
    of.retiring = true;
    say(log::level::info,
        "Worker (pid:{}) has served for {:.1f} s (max_worker_lifetime): it is replaced",
        of.pid,
        std::chrono::duration<double>(now_ - of.ready_at).count());
}

void core::on(const event::memory_read& what) {
    for (const memory_reading& reading : what.readings) {
        const auto found = std::ranges::find(workers_, reading.pid, &worker::pid);
        if (found == workers_.end()) continue;
        found->memory = reading;
        weigh(*found);
    }
}

void core::weigh(worker& of) {
    const generation* known = find(of.generation);
    const std::uint64_t limit = (known ? *known : current_).values.recycle.memory_limit;
    const std::uint64_t bytes = of.memory->bytes;
    if (limit > 0 && bytes > limit) return end_at_once(of);
    if (of.most_memory == 0 || bytes <= of.most_memory) return;
    if (of.at != phase::serving || of.retiring) return;
    of.retiring = true;
    say(log::level::info,
        "Worker (pid:{}) has {}, more than {} (max_worker_memory): it is replaced",
        of.pid,
        text_of(*of.memory),
        mebibytes(of.most_memory));
}

// One that serves answers what it cuts short, as after SIGQUIT; before that it may have no handler yet.
void core::end_at_once(worker& of) {
    if (of.at == phase::aborted || of.at == phase::killed || of.over_limit) return;
    of.over_limit = true;
    const generation* known = find(of.generation);
    say(log::level::error,
        "Worker (pid:{}) has {}, more than {} (worker_memory_limit): it is ended",
        of.pid,
        text_of(*of.memory),
        mebibytes((known ? *known : current_).values.recycle.memory_limit));
    out_.emplace_back(action::log_requests{of.slot, of.pid, log::level::error});
    const bool gone_already = of.expected;
    of.expected = true;
    if (!of.was_ready) {
        send(of, SIGKILL);
        of.at = phase::killed;
        of.deadline.reset();
    } else {
        send(of, SIGQUIT);
        of.deadline =
            of.at == phase::leaving ? std::min(*of.deadline, now_ + quick_limit) : now_ + quick_limit;
        of.at = phase::leaving;
    }
    if (!stopping_ && !gone_already) judge_life(of);
}

// Those on their way out count too: what is replaced is gone only then.
int core::wanted_successors() const {
    const int strength = current_.strength;
    if (strength == 0) return 0;
    const int allowed = std::max(1, strength * current_.values.recycle.share / 100);
    int asking = 0;
    int leaving = 0;
    for (const worker& each : workers_) {
        if (!each.retiring || each.generation != current_.id) continue;
        ++(each.at == phase::serving ? asking : leaving);
    }
    return std::clamp(allowed - leaving, 0, asking);
}

}  // namespace unicoro::master

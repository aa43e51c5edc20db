// SPDX-License-Identifier: MIT
#include "master/core.hpp"

#include <algorithm>
#include <csignal>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// Nothing but the heartbeats needs a look this often; it bounds how late a silence is noticed.
constexpr instant longest_sleep = 1s;

// Later than this after the planned time, the whole machine (or container) was not running.
constexpr instant suspended = 5s;

// And later than this, perhaps not: workers that were stopped with the master give signs of life at once when
// they go on. Not again for a while, so that a master that is always late still finds who hangs.
constexpr instant late = 100ms;
constexpr instant leniency = 500ms;
constexpr instant between_leniencies = 5s;

}  // namespace

core::core(const limits& first, const options& chosen, generation_id first_generation)
    : options_(chosen), dice_(static_cast<std::minstd_rand::result_type>(chosen.seed)) {
    current_.id = first_generation;
    current_.values = first;
    current_.settled = true;
    current_.strength = std::min(first.workers, chosen.trial ? 1 : chosen.most_workers);
}

actions core::start(instant now) {
    now_ = now;
    started_ = now;
    finish_step();
    return std::exchange(out_, {});
}

actions core::step(const any_event& what, instant now) {
    if (ended_) return {};
    now_ = now;
    be_lenient();
    absorb_jump();
    std::visit([this](const auto& known) { on(known); }, what);
    finish_step();
    return std::exchange(out_, {});
}

void core::finish_step() {
    end_delay();
    watch();
    watch_trial();
    plan();
    plan_monitors();
    announce_ready();
    plan_upgrade();
    const bool alone =
        workers_.empty() && preloaders_.empty() && monitors_.empty() && !(upgrade_ && upgrade_->pid != 0);
    if (stopping_ && (alone || now_ >= stopping_->give_up)) {
        if (!workers_.empty()) {
            say(log::level::error, "{} workers do not end even after SIGKILL; leaving them", workers_.size());
        }
        say(log::level::info, "Shutting down: Master");
        out_.emplace_back(action::exit{stopping_->code});
        ended_ = true;
    }
    wake_at_ = next_wake();
}

instant core::next_wake() const {
    instant wake = now_ + longest_sleep;
    const auto consider = [&wake, this](instant at) {
        if (at < wake) wake = std::max(at, now_);
    };
    for (const worker& each : workers_) {
        if (each.pid == 0) continue;
        if (each.deadline) consider(*each.deadline);
        if (each.retire_at) consider(*each.retire_at);
        const auto* of = each.generation == current_.id ? &current_ : next_ ? &*next_ : nullptr;
        if (of == nullptr || of->values.timeout == 0ms || each.inherited) continue;
        const bool heard_of = each.at == phase::serving || each.at == phase::leaving;
        if (heard_of && !stopping_) {
            consider(std::max(each.heard + of->values.timeout + 1ms, lenient_until_));
        }
    }
    if (upgrade_ && upgrade_->deadline) consider(*upgrade_->deadline);
    for (const preloader& each : preloaders_) {
        if (each.deadline) consider(*each.deadline);
    }
    for (const monitor& each : monitors_) {
        if (each.deadline) consider(*each.deadline);
    }
    if (!stopping_ && next_monitor_ > now_) consider(next_monitor_);
    if (stopping_) {
        consider(stopping_->give_up);
    } else {
        if (closing_) consider(closing_->until);
        for (const generation* each : {&current_, next_ ? &*next_ : nullptr}) {
            if (each != nullptr && each->next_spawn > now_) consider(each->next_spawn);
        }
    }
    return wake;
}

void core::be_lenient() {
    if (wake_at_ == instant::max() || now_ <= wake_at_ + late) return;
    if (now_ >= lenient_until_ + between_leniencies) lenient_until_ = now_ + leniency;
}

// After a suspension every worker looks silent and every deadline is past, though nobody had the time
// to do anything.
void core::absorb_jump() {
    if (wake_at_ == instant::max() || now_ <= wake_at_ + suspended) return;
    const instant gap = now_ - wake_at_;
    say(log::level::warning,
        "The process did not run for {:.1f} s (machine suspended?): time limits start anew",
        std::chrono::duration<double>(gap).count());
    for (worker& each : workers_) {
        each.heard = now_;
        if (each.deadline) *each.deadline += gap;
    }
    for (preloader& each : preloaders_) {
        if (each.deadline) *each.deadline += gap;
    }
    for (monitor& each : monitors_) {
        if (each.deadline) *each.deadline += gap;
    }
    started_ += gap;
    if (upgrade_ && upgrade_->deadline) *upgrade_->deadline += gap;
    if (closing_) closing_->until += gap;
    if (stopping_) stopping_->give_up += gap;
}

void core::on(const event::tick& what) {
    for (const slot_reading& reading : what.readings) {
        const auto found = std::ranges::find(workers_, reading.slot, &worker::slot);
        if (found != workers_.end()) read(*found, reading);
    }
}

void core::on(const event::child_ended& what) {
    if (is_preloader(what) || is_monitor(what)) return;
    const auto found = std::ranges::find(workers_, what.pid, &worker::pid);
    if (found == workers_.end()) {
        if (trial_ended(what.pid, what.status)) return;
        // As process 1 of a container the master inherits the orphans of others.
        say(log::level::debug, "Reaped unknown child (pid:{})", what.pid);
        return;
    }
    const worker gone = *found;
    workers_.erase(found);
    note_end(gone, what);
    describe_end(gone, what);
    if (!stopping_ && !gone.expected) judge_end(gone, what.status);
}

void core::on(const event::spawned& what) {
    const auto found = std::ranges::find(workers_, what.slot, &worker::slot);
    if (found == workers_.end()) return;
    found->pid = what.pid;
    found->born = now_;
    found->heard = now_;
    note(happening::worker_started);
    if (found->at != phase::booting) return send(*found, SIGTERM);
    const generation* of = find(found->generation);
    if (of != nullptr && of->values.boot_timeout > 0ms) found->deadline = now_ + of->values.boot_timeout;
}

void core::on(const event::spawn_failed& what) {
    const auto found = std::ranges::find(workers_, what.slot, &worker::slot);
    if (found == workers_.end()) return;
    const worker lost = *found;
    workers_.erase(found);
    if (stopping_ || lost.expected) return;
    say(log::level::error, "Cannot start a worker: {}", what.reason);
    if (generation* of = find(lost.generation)) count_failure(*of, lost.age);
}

// One that is not there yet hears what it missed when it is (`spawned`).
void core::send(const worker& to, int signal) {
    if (to.pid > 0) out_.emplace_back(action::kill{to.pid, signal});
}

void core::on(const event::settings_accepted& what) {
    generation fresh;
    fresh.id = what.generation;
    fresh.values = what.values;
    fresh.strength = std::min(what.values.workers, options_.most_workers);
    // TTIN and TTOU outlive a reload that does not speak of the number of workers; WINCH does not.
    const generation& before = target();
    if (before.values.workers == what.values.workers && before.strength > 0) {
        fresh.strength = before.strength;
    }
    if (next_ && next_->proven) {
        current_ = *next_;
    } else if (next_) {
        out_.emplace_back(action::abandon{next_->id});
        for (worker& each : workers_) {
            if (each.generation == next_->id && !each.expected) dismiss(each);
        }
    }
    next_ = fresh;
    say(log::level::info, "Settings read anew: starting the first of {} new workers", fresh.strength);
}

void core::on(const event::settings_refused& what) {
    for (const std::string& error : what.errors) say(log::level::error, "Reload: {}", error);
    note(happening::reload_refused);
    say(log::level::error, "Reload refused: the settings in force and their workers stay");
    tell_ready("Reload refused");
}

core::generation* core::find(generation_id id) noexcept {
    if (current_.id == id) return &current_;
    if (next_ && next_->id == id) return &*next_;
    return nullptr;
}

}  // namespace unicoro::master

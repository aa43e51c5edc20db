// SPDX-License-Identifier: MIT
#include "master/core.hpp"

#include <algorithm>
#include <csignal>
#include <span>
#include <vector>

namespace unicoro::master {
void core::plan() {
    if (stopping_) return;
    plan_preloaders();
    if (next_) {
        plan_reload();
    } else {
        plan_steady();
    }
}

// A worker that is to retire gets its successor first: with more workers than the strength, the surplus
// that goes when the successors serve are the retiring ones.
void core::plan_steady() {
    const int strength = current_.strength;
    const int wanted = strength + wanted_successors();
    raise(current_, wanted, live(current_.id));
    std::vector<worker*> servers;
    for (worker& each : workers_) {
        if (each.at == phase::serving && each.generation == current_.id) servers.push_back(&each);
    }
    std::ranges::stable_partition(servers, &worker::retiring);  // else by age, as they are
    const int surplus = std::max(0, static_cast<int>(servers.size()) - strength);
    for (worker* each : std::span(servers).first(static_cast<std::size_t>(surplus))) dismiss(*each);
    for (worker& each : workers_) {
        if (live(current_.id) <= wanted) break;
        if (each.at == phase::booting && !each.expected) dismiss(each);
    }
    shed_old(current_.id, std::max(0, strength - serving(current_.id)));
    if (!current_.settled && serving(current_.id) >= strength) settle();
}

// The first worker of a generation goes ahead alone. When it serves, the rest follow together and every
// one that serves lets an old one go, so that never fewer serve than before.
void core::plan_reload() {
    const int strength = next_->strength;
    if (!next_->proven && strength > 0) {
        raise(*next_, 1, live(next_->id));
        int old = 0;
        for (const worker& each : workers_) {
            if (each.generation != next_->id && !each.expected) ++old;
        }
        raise(current_, current_.strength, old);
        return shed_old(next_->id, current_.strength);
    }
    raise(*next_, strength, live(next_->id));
    for (worker& each : workers_) {
        if (each.generation != next_->id && each.at == phase::booting) dismiss(each);
    }
    shed_old(next_->id, std::max(0, strength - serving(next_->id)));
    if (serving(next_->id) < strength) return;
    current_ = *next_;
    next_.reset();
    settle();
}

void core::shed_old(generation_id young, int keep) {
    const auto serves = [young](const worker& each) {
        return each.generation != young && each.at == phase::serving;
    };
    auto surplus = std::ranges::count_if(workers_, serves) - keep;
    for (worker& each : workers_) {
        if (surplus <= 0) return;
        if (!serves(each)) continue;
        dismiss(each);
        --surplus;
    }
}

void core::raise(const generation& of, int wanted, int have) {
    if (taking_over_ && of.id == current_.id) return;
    if (now_ < of.next_spawn || !can_fork(of)) return;
    while (have < wanted && spawn(of)) ++have;
}

bool core::spawn(const generation& of) {
    std::vector<bool> taken(options_.slots, false);
    for (const worker& each : workers_) taken[each.slot] = true;
    const auto free = std::ranges::find(taken, false);
    // Draining workers hold their slots; the next one that ends makes room.
    if (free == taken.end()) return false;
    worker fresh;
    fresh.slot = static_cast<std::size_t>(free - taken.begin());
    fresh.age = ++last_age_;
    fresh.generation = of.id;
    set_limits(fresh, of.values);
    workers_.push_back(fresh);
    out_.emplace_back(action::spawn{fresh.slot, fresh.age, fresh.generation});
    return true;
}

void core::dismiss(worker& of) {
    of.expected = true;
    if (of.at != phase::booting && of.at != phase::serving) return;
    const generation* known = find(of.generation);
    of.at = phase::leaving;
    // A worker that is still booting has not begun to give signs of life.
    if (!of.was_ready) of.heard = now_;
    of.deadline = now_ + (known ? *known : current_).values.graceful_timeout;
    send(of, SIGTERM);
}

int core::live(generation_id of) const {
    return static_cast<int>(std::ranges::count_if(workers_, [of](const worker& each) {
        return each.generation == of && !each.expected;
    }));
}

int core::serving(generation_id of) const {
    return static_cast<int>(std::ranges::count_if(workers_, [of](const worker& each) {
        return each.generation == of && each.at == phase::serving;
    }));
}

void core::settle() {
    current_.settled = true;
    for (worker& each : workers_) {
        if (each.generation != current_.id && !each.expected) dismiss(each);
    }
    const bool upgraded = std::exchange(taking_over_, false);
    const char* const what = upgraded ? "Upgrade" : "Reload";
    note(upgraded ? happening::upgrade_completed : happening::reload_completed);
    // Whoever reads that it is complete finds the pidfile and the sockets' files as the new settings say.
    out_.emplace_back(action::settle{current_.id});
    say(log::level::info, "{} complete: {} new workers serve", what, current_.strength);
    tell_ready(fmt::format("{} complete", what));
}

}  // namespace unicoro::master

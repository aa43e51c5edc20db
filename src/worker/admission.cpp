// SPDX-License-Identifier: MIT
#include "worker/admission.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

constexpr std::chrono::nanoseconds usual_patience = std::chrono::seconds(4);

// A queue that has become empty within this time only evens out a burst.
admission::time overload_after(std::chrono::nanoseconds most_waited) noexcept {
    return (most_waited.count() > 0 ? most_waited : usual_patience).count() / 4;
}

}  // namespace

admission::admission(const limits& all, std::vector<lane_limits> lanes, clock now)
    : limits_(all), now_(now), overload_after_(overload_after(all.most_waited)) {
    lanes_.reserve(lanes.size());
    for (const lane_limits& each : lanes) lanes_.push_back({.limits = each});
}

void admission::ask(ticket& who, std::size_t number, time arrived) {
    lane& own = lanes_[number];
    who.gate_ = this;
    who.lane_ = number;
    who.arrived_ = arrived;
    who.number_ = ++numbers_;
    // Nobody waits who could have a free place: each goes to the next in line when it becomes free.
    if (own.limits.never_shed || (has_room() && own.has_room())) return let_in(who);
    const time now = now_();
    if (late(who, now)) return turn_away(who);
    const bool full = own.line.size() >= own.limits.most_waiting;
    // Newest first, the oldest would not be served any more.
    if (full && (own.line.empty() || !newest_first(now))) return turn_away(who);
    who.stage_ = ticket::stage::waiting;
    own.line.push_back(who);
    if (waiting_++ == 0) busy_since_ = now;
    if (full) own.line.front().refuse();
}

bool admission::late(const ticket& who, time now) const noexcept {
    return limits_.most_waited.count() > 0 && now - who.arrived_ >= limits_.most_waited.count();
}

bool admission::newest_first(time now) const noexcept {
    return limits_.order == settings::queue_order::adaptive_lifo && waiting_ > 0 &&
           now - busy_since_ >= overload_after_;
}

void admission::let_in(ticket& who) noexcept {
    who.stage_ = ticket::stage::inside;
    lane& own = lanes_[who.lane_];
    ++own.inside;
    if (!own.limits.never_shed) ++inside_;
}

void admission::take_out(ticket& who) noexcept {
    lane& own = lanes_[who.lane_];
    own.line.erase(own.line.iterator_to(who));
    --waiting_;
}

void admission::turn_away(ticket& who) noexcept {
    who.stage_ = ticket::stage::refused;
    who.gate_ = nullptr;
}

void admission::leave(ticket& who) noexcept {
    who.gate_ = nullptr;
    if (std::exchange(who.stage_, ticket::stage::none) == ticket::stage::waiting) return take_out(who);
    lane& own = lanes_[who.lane_];
    --own.inside;
    if (own.limits.never_shed) return;
    --inside_;
    if (waiting_ > 0) call_next();
}

// Of the lanes with room the most urgent, of those the one whose next has come first, or last.
admission::ticket* admission::next(bool newest) noexcept {
    ticket* found = nullptr;
    for (lane& each : lanes_) {
        if (each.line.empty() || !each.has_room()) continue;
        ticket& first = newest ? each.line.back() : each.line.front();
        const auto priority = each.limits.priority;
        if (found != nullptr) {
            const auto best = lanes_[found->lane_].limits.priority;
            if (priority > best) continue;
            const bool sooner = newest ? first.number_ > found->number_ : first.number_ < found->number_;
            if (priority == best && !sooner) continue;
        }
        found = &first;
    }
    return found;
}

void admission::call_next() noexcept {
    const time now = now_();
    while (has_room()) {
        ticket* const who = next(newest_first(now));
        if (who == nullptr) return;
        take_out(*who);
        if (late(*who, now)) {
            turn_away(*who);
        } else {
            let_in(*who);
        }
        who->settled_(*who, who->owner_);
    }
}

void admission::ticket::leave() noexcept {
    if (gate_ != nullptr) gate_->leave(*this);
    stage_ = stage::none;
}

void admission::ticket::refuse() noexcept {
    if (!waits()) return;
    admission& gate = *gate_;
    gate.take_out(*this);
    gate.turn_away(*this);
    settled_(*this, owner_);
}

}  // namespace unicoro::worker

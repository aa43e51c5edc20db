// SPDX-License-Identifier: MIT
#include "monitor/picture.hpp"

#include "log/log.hpp"
#include "os/cpu_time.hpp"
#include "os/memory.hpp"
#include "scoreboard/handed_slot.hpp"

#include <algorithm>

namespace unicoro::monitor {
namespace {

// More than a process can have: it is no count then.
constexpr std::uint32_t most = 1U << 20;

std::uint32_t believable(const std::atomic<std::uint32_t>& said) noexcept {
    return std::min(said.load(std::memory_order_relaxed), most);
}

bool takes_requests(const scoreboard::counted_worker& each) noexcept {
    return each.state == scoreboard::worker_state::ready || each.state == scoreboard::worker_state::retiring;
}

double seconds(std::int64_t nanoseconds) noexcept {
    return static_cast<double>(nanoseconds) / 1e9;
}

}  // namespace

std::size_t picture::serving() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(seen.workers, takes_requests));
}

bool picture::is_ready(int needed) const noexcept {
    return !seen.stopping && serving() >= static_cast<std::size_t>(needed);
}

observer::observer(const master::monitor_launch& how) : how_(how), ages_(how.board.size(), 0) {
    (void)glance();
    // The memory of those that were there came with the fork.
    for (const scoreboard::counted_worker& each : last_.seen.workers) ages_[each.slot] = each.facts.age;
}

void observer::take_slot(const master::named_slot& which, int memory) {
    if (which.slot >= ages_.size()) return;
    if (const error_code failed = scoreboard::attach_to_read(how_.board, which.slot, memory)) {
        log::warning("The requests of worker {} cannot be seen: {}", which.age, failed.message());
        return;
    }
    ages_[which.slot] = which.age;
}

bool observer::sees_slot(const scoreboard::counted_worker& worker) const noexcept {
    return worker.facts.age != 0 && ages_[worker.slot] == worker.facts.age;
}

worker_view observer::view_of(const scoreboard::counted_worker& worker) const {
    worker_view view;
    view.counted = worker;
    if (const auto cpu = os::cpu_time(worker.facts.pid)) view.cpu = seconds(cpu->count());
    view.memory = os::resident_memory(worker.facts.pid);
    if (!sees_slot(worker)) return view;
    const scoreboard::worker_slot& slot = how_.board.slot(worker.slot);
    view.connections = believable(slot.connections);
    view.running = believable(slot.running);
    view.queued = std::min(believable(slot.queued), view.running);
    view.websockets = std::min(believable(slot.websockets), view.running);
    const scoreboard::monotonic_ns heartbeat = slot.heartbeat.load(std::memory_order_relaxed);
    if (heartbeat > 0 && heartbeat <= last_.now) view.silent = seconds(last_.now - heartbeat);
    return view;
}

const picture& observer::glance() {
    last_.now = scoreboard::monotonic_now();
    if (auto seen = how_.counts.read()) last_.seen = std::move(*seen);
    last_.workers.clear();
    return last_;
}

const picture& observer::look() {
    (void)glance();
    double cpu = seconds(static_cast<std::int64_t>(last_.seen.all.cpu_of_ended));
    for (const scoreboard::counted_worker& each : last_.seen.workers) {
        last_.workers.push_back(view_of(each));
        cpu += last_.workers.back().cpu.value_or(0);
    }
    // One that has just gone is in neither.
    last_.cpu = std::max(last_.cpu, cpu);
    return last_;
}

std::string request_view::id() const {
    return fmt::format("{}-{}-{:x}", number, request.entry, request.started);
}

std::uint32_t observer::ask_for_stacks() {
    return how_.board.question().ask();
}

bool observer::answers(const scoreboard::counted_worker& worker) const noexcept {
    return sees_slot(worker) && how_.board.answer(worker.slot).answers();
}

std::optional<std::string> observer::stacks_of(
    const scoreboard::counted_worker& worker, std::uint32_t question
) const {
    if (!answers(worker)) return std::nullopt;
    return how_.board.answer(worker.slot).read(question, how_.board.question().last());
}

requests_view observer::requests() {
    (void)glance();
    requests_view found;
    for (const scoreboard::counted_worker& each : last_.seen.workers) {
        if (!sees_slot(each)) continue;
        scoreboard::running_requests of = scoreboard::read_requests(how_.board, each.slot, last_.now);
        found.unlisted += of.unlisted;
        for (scoreboard::running_request& request : of.listed) {
            const double age = seconds(last_.now - request.started);
            found.listed.push_back({each.slot, each.facts.pid, each.facts.age, age, std::move(request)});
        }
    }
    std::ranges::sort(found.listed, std::ranges::greater(), &request_view::age);
    return found;
}

occupancy observer::occupied() const noexcept {
    occupancy all;
    for (const scoreboard::counted_worker& each : last_.seen.workers) {
        if (!takes_requests(each) || !sees_slot(each)) continue;
        const scoreboard::worker_slot& slot = how_.board.slot(each.slot);
        const std::uint32_t places = believable(slot.places);
        all.places += places;
        all.busy += std::min(believable(slot.running), places);
    }
    return all;
}

}  // namespace unicoro::monitor

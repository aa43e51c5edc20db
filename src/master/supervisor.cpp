// SPDX-License-Identifier: MIT
#include "master/supervisor.hpp"

#include "base/exception_text.hpp"
#include "log/open.hpp"
#include "master/in_flight.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace unicoro::master {
instant clock_now() noexcept {
    return instant(scoreboard::monotonic_now());
}

ending run(options chosen) {
    auto whole = std::make_unique<supervisor>(std::move(chosen));
    const ending ended = whole->run();
    // What still runs in a worker until its process ends refers to it.
    if (ended.is_worker) [[maybe_unused]]
        auto* const kept = whole.release();
    return ended;
}

supervisor::supervisor(options chosen)
    : options_(std::move(chosen)),
      companion_(options_.guest != nullptr ? *options_.guest : nobody_),
      notifier_(os::service_notifier::from_environment()),
      store_(notifier_) {}

ending supervisor::run() {
    std::optional<int> failed;
    try {
        failed = start();
    } catch (const std::exception& error) {
        log::critical("The master cannot start: {}", base::exception_text(error));
        failed = 1;
    }
    if (failed && is_successor() && signals_) failed = begin_again(*failed);
    if (!failed) loop();
    if (is_worker_) return {*exit_code_, true};
    const int code = failed ? *failed : *exit_code_;
    companion_.ending();
    if (options_.daemon != nullptr) options_.daemon->report(code);
    return {code, false};
}

void supervisor::loop() {
    while (!exit_code_) {
        try {
            turn();
        } catch (const std::exception& error) {
            // Out of memory, at worst: the workers must not lose their master to it.
            log::critical("The master goes on after: {}", base::exception_text(error));
        }
    }
}

void supervisor::turn() {
    while (!pending_.empty() && !exit_code_) {
        const any_action next = std::move(pending_.front());
        pending_.pop_front();
        std::visit([this](const auto& known) { perform(known); }, next);
    }
    if (exit_code_) return;
    wait();
    take_signals();
    end_overdue();
    reap();
    look();
    weigh();
    watch_certificates();
    tell_metrics();
}

void supervisor::wait() {
    using std::chrono::milliseconds;
    instant until = core_->wake_at();
    if (const auto interval = notifier_.watchdog()) {
        if (clock_now() >= next_watchdog_) {
            (void)notifier_.send("WATCHDOG=1");
            next_watchdog_ = clock_now() + *interval / 2;
        }
        until = std::min(until, next_watchdog_);
    }
    for (const preloader& each : preloaders_) until = std::min(until, each.due);
    // Rounded up: waking a moment early would mean turning without anything to do.
    const auto left = std::chrono::ceil<milliseconds>(until - clock_now());
    const int timeout = static_cast<int>(std::clamp<milliseconds::rep>(left.count(), 0, 60'000));
    watched_.assign(1, {signals_->fd(), POLLIN, 0});
    for (const running& each : workers_) {
        // poll(2) passes over -1.
        watched_.push_back({each.rings_left > 0 ? each.lifeline.get() : -1, POLLIN, 0});
    }
    for (const preloader& each : preloaders_) watched_.push_back({each.line.get(), POLLIN, 0});
    watched_.push_back({trial_output_ ? trial_output_.get() : -1, POLLIN, 0});
    poll(watched_.data(), watched_.size(), timeout);
    if (watched_.back().revents != 0) hear_trial();
    auto seen = watched_.begin() + 1;
    for (running& each : workers_) {
        if (seen++->revents != 0) hear(each);
    }
    for (preloader& each : preloaders_) {
        if (seen++->revents != 0) hear(each);
    }
}

// What is not heard any more is seen at the next look, which comes at least once a second: a worker
// that rings without end, or has closed its end, costs no more than that.
void supervisor::hear(running& worker) {
    if (!os::take_ring(worker.lifeline.get())) {
        worker.rings_left = 0;
        return;
    }
    if (--worker.rings_left > 0) return;
    log::warning("Worker (pid:{}) rings without end; its rings are ignored from now on", worker.pid);
}

void supervisor::take_signals() {
    while (const auto signal = signals_->next()) {
        if (*signal != SIGCHLD) feed(event::signal_arrived{*signal});
    }
}

void supervisor::reap() {
    // The pid of a worker may not be known yet.
    if (awaits_worker()) return;
    while (const auto child = os::reap_child()) {
        const auto found = std::ranges::find(workers_, child->pid, &running::pid);
        if (found == workers_.end()) {
            if (child->pid == trial_pid_) end_of_trial();
            std::erase_if(preloaders_, [&child](const preloader& each) { return each.pid == child->pid; });
            std::erase_if(monitors_, [&child](const watching& each) { return each.pid == child->pid; });
            feed(event::child_ended{child->pid, child->status, {}});
            continue;
        }
        // The worker may have become ready a moment before it ended.
        look();
        const std::size_t slot = found->slot;
        board_->vacate(slot);
        tally_->end(slot, static_cast<std::uint64_t>(std::chrono::nanoseconds(child->cpu).count()));
        workers_.erase(found);
        companion_.worker_ended(child->pid, child->status);
        feed(event::child_ended{child->pid, child->status, evidence_of(child->status)});
    }
}

void supervisor::look() {
    log::flush_waiting();
    for (const auto& [id, set] : sets_) {
        for (const bound_listener& each : set.listeners) each.socket.restore_flags();
    }
    event::tick seen;
    for (const running& each : workers_) {
        const scoreboard::worker_slot& slot = board_->slot(each.slot);
        seen.readings.push_back(
            {each.slot, slot.state.load(), instant(slot.heartbeat.load(std::memory_order_relaxed))}
        );
        tally_->look(each.slot, slot, scoreboard::monotonic_now());
    }
    feed(seen);
    tell_tally();
}

void supervisor::feed(const any_event& what) {
    std::ranges::move(core_->step(what, clock_now()), std::back_inserter(pending_));
    tell_strength();
}

void supervisor::tell_strength() {
    const int before = std::exchange(told_strength_, core_->strength());
    if (before != told_strength_) companion_.workers_changed(told_strength_, before);
}

void supervisor::perform(const action::spawn& what) {
    if (companion_.preloads(*sets_.at(what.generation).settings)) return order_worker(what);
    auto lifeline = os::make_lifeline();
    if (!lifeline) return feed(event::spawn_failed{what.slot, lifeline.error().message()});
    os::unique_fd memory;
    if (const error_code failed = open_slot(what, memory)) {
        return feed(event::spawn_failed{what.slot, failed.message()});
    }
    // Before it could serve anybody who asks.
    board_->slot(what.slot).server_stops.store(stop_announced_);
    companion_.before_fork(what.age);
    const auto forked = os::fork_process();
    companion_.forked(forked ? *forked : -1);
    if (!forked) return feed(event::spawn_failed{what.slot, forked.error().message()});
    if (*forked == 0) {
        lifeline->master_end.reset();
        memory.reset();
        is_worker_ = true;
        exit_code_ = be_worker(what, std::move(lifeline->worker_end));
        return;
    }
    welcome(what, *forked, os::withheld_fd(std::move(lifeline->master_end)));
    show_slot(what, memory.get());
}

running& supervisor::welcome(const action::spawn& what, pid_t pid, os::withheld_fd lifeline) {
    scoreboard::worker_slot& slot = board_->slot(what.slot);
    slot.pid.store(pid);
    slot.server_stops.store(stop_announced_);
    tally_->begin(what.slot, {what.age, pid, what.generation, scoreboard::monotonic_now()});
    workers_.push_back({pid, what.slot, what.generation, std::move(lifeline), most_rings});
    feed(event::spawned{what.slot, pid});
    return workers_.back();
}

void supervisor::perform(const action::kill& what) {
    const error_code failed = os::send_signal(what.pid, what.signal);
    if (failed && failed != os::system_error(ESRCH)) {
        log::error(
            "Cannot send {} to worker (pid:{}): {}", os::signal_name(what.signal), what.pid, failed.message()
        );
    }
}

void supervisor::perform(const action::log_line& what) {
    log::write(what.level, what.message);
}

void supervisor::perform(const action::log_requests& what) {
    for (const auto& line : requests_in_flight(*board_, what.slot, scoreboard::monotonic_now())) {
        log::write(what.level, fmt::format("In flight in worker (pid:{}): {}", what.pid, line));
    }
}

void supervisor::perform(const action::log_lost& what) {
    write_lost_requests(*board_, what.slot, scoreboard::monotonic_now());
}

// The files are handed to the workers: what root may open, they perhaps may not.
void supervisor::perform(const action::reopen_logs&) {
    log::reopen();
    companion_.reopened_logs();
    hand_logs_to_preloaders();
    hand_logs_to_monitors();
    for (const running& each : workers_) hand_logs(each);
}

void supervisor::hand_logs(const running& to) const {
    for (const log::open_file& file : log::open_files()) {
        const auto failed = os::hand_file(to.lifeline.get(), file.path, file.descriptor);
        if (!failed || failed == os::system_error(EPIPE)) continue;
        log::warning("Worker (pid:{}) keeps using the former log file: {}", to.pid, failed.message());
    }
}

void supervisor::perform(const action::notify& what) {
    std::string lines;
    switch (what.what) {
        case action::notify::state::ready:
            lines = fmt::format("READY=1\nMAINPID={}\n", getpid());
            if (options_.daemon != nullptr) options_.daemon->report(0);
            if (!was_ready_) companion_.when_ready();
            was_ready_ = true;
            break;
        case action::notify::state::reloading:
            lines =
                fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", clock_now() / std::chrono::microseconds(1));
            break;
        case action::notify::state::stopping: lines = "STOPPING=1\n"; break;
    }
    lines += "STATUS=" + what.status + "\n";
    if (const error_code failed = notifier_.send(lines)) {
        log::warning("Cannot notify the service manager: {}", failed.message());
    }
}

void supervisor::perform(const action::announce_stop&) {
    stop_announced_ = true;
    tally_->tell_stopping();
    for (const running& each : workers_) board_->slot(each.slot).server_stops.store(true);
}

void supervisor::perform(const action::stop_listening&) {
    perform(action::announce_stop{});
    for (auto& [id, set] : sets_) {
        // Those that are stored serve again after a restart.
        if (!store_.active()) remove_paths(set.listeners, {});
        set.listeners.clear();
    }
}

// The monitor's sockets are there until it has gone.
void supervisor::perform(const action::exit& what) {
    for (auto& [id, set] : sets_) remove_paths(set.admin, {});
    exit_code_ = what.code;
}

}  // namespace unicoro::master

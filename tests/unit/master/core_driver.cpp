// SPDX-License-Identifier: MIT
#include "core_driver.hpp"

#include "os/signals.hpp"

#include <algorithm>

namespace unicoro::master::testing {
namespace {

const char* name_of(log::level level) {
    switch (level) {
        case log::level::debug: return "debug";
        case log::level::info: return "info";
        case log::level::warning: return "warning";
        case log::level::error: return "error";
        case log::level::critical: return "critical";
    }
    return "?";
}

struct writer {
    std::string operator()(const action::spawn& what) const {
        return fmt::format("spawn slot {} age {} generation {}", what.slot, what.age, what.generation);
    }
    std::string operator()(const action::preload& what) const {
        return fmt::format("preload generation {}", what.generation);
    }
    std::string operator()(const action::start_monitor& what) const {
        return fmt::format("monitor generation {}", what.generation);
    }
    std::string operator()(const action::kill& what) const {
        return fmt::format("kill {} {}", what.pid, os::signal_name(what.signal));
    }
    std::string operator()(const action::log_line& what) const {
        return fmt::format("{}: {}", name_of(what.level), what.message);
    }
    std::string operator()(const action::log_lost& what) const {
        return fmt::format("lost with {}", what.pid);
    }
    std::string operator()(const action::log_requests& what) const {
        return fmt::format("requests of {} ({})", what.pid, name_of(what.level));
    }
    std::string operator()(const action::reopen_logs&) const { return "reopen logs"; }
    std::string operator()(const action::reload_settings&) const { return "reload settings"; }
    std::string operator()(const action::settle& what) const {
        return fmt::format("settle {}", what.generation);
    }
    std::string operator()(const action::abandon& what) const {
        return fmt::format("abandon {}", what.generation);
    }
    std::string operator()(const action::notify& what) const {
        constexpr const char* names[] = {"ready", "reloading", "stopping"};
        return fmt::format("notify {}", names[static_cast<int>(what.what)]);
    }
    std::string operator()(const action::start_trial&) const { return "start trial"; }
    std::string operator()(const action::become_successor&) const { return "become successor"; }
    std::string operator()(const action::announce_stop&) const { return "announce stop"; }
    std::string operator()(const action::stop_listening&) const { return "stop listening"; }
    std::string operator()(const action::exit& what) const { return fmt::format("exit {}", what.code); }
};

void append(lines& to, lines more) {
    std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

core_driver::core_driver(limits values, core::options shape) : core_(values, shape, 1) {}

void core_driver::inherit(const std::vector<core::inherited_worker>& former) {
    core_.inherit(former);
    for (const auto& each : former) workers_[each.pid] = {each.slot, worker_state::ready, instant{0}};
}

lines core_driver::start() {
    lines result;
    answer(core_.start(now_), result);
    return result;
}

void core_driver::start_ready() {
    start();
    std::vector<pid_t> pids;
    for (const auto& [pid, known] : workers_) pids.push_back(pid);
    for (const pid_t pid : pids) ready(pid);
}

void core_driver::answer(const actions& decided, lines& to) {
    for (const any_action& each : decided) to.push_back(std::visit(writer{}, each));
    for (const any_action& each : decided) {
        const auto* const preload = std::get_if<action::preload>(&each);
        if (preload == nullptr) continue;
        const generation_id id = preload->generation;
        const any_event come = fork_works_ ? any_event(event::preloader_started{id, ++last_preloader_})
                                           : any_event(event::preloader_failed{id, "no memory"});
        answer(core_.step(come, now_), to);
    }
    for (const any_action& each : decided) {
        const auto* const monitor = std::get_if<action::start_monitor>(&each);
        if (monitor == nullptr || monitors_are_held_) continue;
        answer(core_.step(event::monitor_started{monitor->generation, ++last_monitor_}, now_), to);
    }
    for (const any_action& each : decided) {
        const auto* spawn = std::get_if<action::spawn>(&each);
        if (spawn == nullptr || forks_are_held_) continue;
        if (!fork_works_) {
            answer(core_.step(event::spawn_failed{spawn->slot, "no memory"}, now_), to);
            continue;
        }
        const auto pid = static_cast<pid_t>(100 + spawn->age);
        workers_[pid] = {spawn->slot, worker_state::booting, instant{0}};
        answer(core_.step(event::spawned{spawn->slot, pid}, now_), to);
    }
}

lines core_driver::feed(const any_event& what) {
    lines result;
    answer(core_.step(what, now_), result);
    return result;
}

lines core_driver::signal(int number) {
    return feed(event::signal_arrived{number});
}

lines core_driver::exits(pid_t pid, int code) {
    workers_.erase(pid);
    return feed(event::child_ended{pid, code << 8, {}});
}

lines core_driver::killed(pid_t pid, int signal) {
    workers_.erase(pid);
    return feed(event::child_ended{pid, signal, {}});
}

event::tick core_driver::seen() const {
    event::tick result;
    for (const auto& [pid, known] : workers_) {
        result.readings.push_back({known.slot, known.state, known.heartbeat});
    }
    return result;
}

lines core_driver::says(pid_t pid, worker_state state) {
    workers_.at(pid).state = state;
    workers_.at(pid).heartbeat = now_;
    return feed(seen());
}

lines core_driver::beats_like(pid_t pid, instant heartbeat) {
    workers_.at(pid).heartbeat = heartbeat;
    return feed(seen());
}

lines core_driver::beat() {
    for (auto& [pid, known] : workers_) known.heartbeat = now_;
    return feed(seen());
}

lines core_driver::pass(instant length) {
    now_ += length;
    return feed(seen());
}

lines core_driver::run(instant length, pid_t silent) {
    lines result;
    for (const instant end = now_ + length; now_ < end;) {
        const instant next = std::clamp<instant>(core_.wake_at(), now_ + 1ms, now_ + 500ms);
        now_ = std::min(next, end);
        for (auto& [pid, known] : workers_) {
            if (pid != silent && known.state != worker_state::booting) known.heartbeat = now_;
        }
        append(result, feed(seen()));
    }
    return result;
}

lines core_driver::accept(generation_id id, limits values) {
    return feed(event::settings_accepted{id, values});
}

lines core_driver::refuse(std::vector<std::string> errors) {
    return feed(event::settings_refused{std::move(errors)});
}

lines only(const lines& all, const std::string& prefix) {
    lines found;
    for (const std::string& line : all) {
        if (line.starts_with(prefix)) found.push_back(line);
    }
    return found;
}

}  // namespace unicoro::master::testing

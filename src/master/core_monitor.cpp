// SPDX-License-Identifier: MIT
// The process that tells others of the server: one of the settings in force, until nothing is left to tell.
#include "master/core.hpp"
#include "os/signals.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// It finishes what it is answering, and has nothing else to do.
constexpr instant leave_limit = 1s;

// One that has lived this long did not die of how it starts.
constexpr instant stable = 5s;

constexpr instant first_delay = 100ms;
constexpr instant longest_delay = 30s;

instant delay_after(unsigned failures) {
    const unsigned doublings = std::min(failures - 1, 16U);
    return std::min<instant>(first_delay * (1U << doublings), longest_delay);
}

}  // namespace

// That of new settings is there before the other goes: who asks meanwhile waits in the backlog of a socket
// that both have.
void core::plan_monitors() {
    if (stopping_) {
        for (monitor& each : monitors_) {
            if (workers_.empty() && !each.expected) dismiss(each);
        }
        return;
    }
    const generation& shown = taking_over_ && next_ ? *next_ : current_;
    const auto is_current = [&shown](const monitor& each) {
        return each.generation == shown.id && !each.expected;
    };
    const auto found = std::ranges::find_if(monitors_, is_current);
    const bool there = found != monitors_.end() && found->pid != 0;
    for (monitor& each : monitors_) {
        const bool replaced = each.generation != shown.id && (there || !shown.values.monitor);
        if (replaced && !each.expected) dismiss(each);
    }
    if (!shown.values.monitor || found != monitors_.end() || now_ < next_monitor_) return;
    monitor fresh;
    fresh.generation = shown.id;
    monitors_.push_back(fresh);
    out_.emplace_back(action::start_monitor{shown.id});
}

void core::dismiss(monitor& of) {
    of.expected = true;
    of.deadline = now_ + leave_limit;
    if (of.pid > 0) out_.emplace_back(action::kill{of.pid, SIGTERM});
}

void core::watch(monitor& of) {
    if (!of.deadline || now_ < *of.deadline || of.pid == 0) return;
    out_.emplace_back(action::kill{of.pid, SIGKILL});
    of.deadline.reset();
}

void core::on(const event::monitor_started& what) {
    for (monitor& each : monitors_) {
        if (each.generation != what.generation || each.pid != 0) continue;
        each.pid = what.pid;
        each.born = now_;
        if (each.expected) out_.emplace_back(action::kill{each.pid, SIGTERM});
    }
}

void core::on(const event::monitor_failed& what) {
    const auto is_it = [&what](const monitor& each) {
        return each.generation == what.generation && each.pid == 0;
    };
    if (std::erase_if(monitors_, is_it) == 0 || stopping_) return;
    say(log::level::error, "Cannot start the monitor: {}", what.reason);
    postpone_monitor();
}

void core::postpone_monitor() {
    next_monitor_ = now_ + delay_after(++monitor_failures_);
}

bool core::is_monitor(const event::child_ended& what) {
    const auto found = std::ranges::find(monitors_, what.pid, &monitor::pid);
    if (found == monitors_.end()) return false;
    const monitor gone = *found;
    monitors_.erase(found);
    if (gone.expected || stopping_) {
        say(log::level::debug, "The monitor (pid:{}) has ended", gone.pid);
        return true;
    }
    note(happening::monitor_ended);
    if (now_ - gone.born >= stable) monitor_failures_ = 0;
    postpone_monitor();
    const int status = what.status;
    say(log::level::error,
        "The monitor (pid:{}) {}; another one starts in {:.1f} s",
        gone.pid,
        WIFSIGNALED(status) ? "was sent " + os::signal_name(WTERMSIG(status)) + "!"
                            : fmt::format("exited with code {}", WEXITSTATUS(status)),
        std::chrono::duration<double>(next_monitor_ - now_).count());
    return true;
}

}  // namespace unicoro::master

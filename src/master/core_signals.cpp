// SPDX-License-Identifier: MIT
#include "master/core.hpp"
#include "os/signals.hpp"

#include <algorithm>
#include <csignal>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// gunicorn's time for workers that were told to end at once.
constexpr instant quick_limit = 2s;

// The kernel needs a moment to end a process by SIGKILL; one in a stuck system call may never go.
constexpr instant kill_limit = 5s;

// Who signals a process and its group (timeout(1), some platforms) tells it the same thing twice.
constexpr instant same_stop = 1s;

std::string short_name(int signal) {
    std::string name = os::signal_name(signal);
    if (name.starts_with("SIG")) name.erase(0, 3);
    std::ranges::transform(name, name.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return name;
}

}  // namespace

void core::on(const event::signal_arrived& what) {
    say(log::level::info, "Handling signal: {}", short_name(what.signal));
    switch (what.signal) {
        case SIGTERM: return terminate();
        case SIGINT:
        case SIGQUIT: return interrupt();
        case SIGUSR1:
            out_.emplace_back(action::reopen_logs{});
            // Workers of other settings may have other files, which they open themselves.
            for (const worker& each : workers_) {
                if (each.generation != current_.id && each.was_ready && each.at != phase::killed) {
                    send(each, SIGUSR1);
                }
            }
            return;
        default: break;
    }
    if (stopping_ || closing_ || options_.trial) return;
    switch (what.signal) {
        case SIGHUP: return begin_reload();
        case SIGTTIN: return change_strength(1);
        case SIGTTOU: return change_strength(-1);
        case SIGWINCH:
            if (!options_.daemon) {
                say(log::level::debug, "SIGWINCH ignored. Not daemonized.");
                return;
            }
            current_.strength = 0;
            if (next_) next_->strength = 0;
            return;
        case SIGUSR2: return ask_for_upgrade();
        default: return;
    }
}

void core::change_strength(int by) {
    const int wanted = target().strength + by;
    if (by < 0 && wanted < 1) return;
    if (wanted > options_.most_workers) {
        say(log::level::warning,
            "{} workers are the most this master has room for; restart it with a higher `workers`",
            options_.most_workers);
        return;
    }
    if (!taking_over_) current_.strength = std::clamp(current_.strength + by, 1, options_.most_workers);
    if (next_) next_->strength = wanted;
}

void core::terminate() {
    if (stopping_) {
        if (now_ >= stopping_->told + same_stop) hasten_stop();
        return;
    }
    if (closing_) {
        if (now_ < closing_->told + same_stop) return;
        say(log::level::info, "Signalled again: shutdown_delay is cut short");
        return stop(SIGTERM, 0);
    }
    const instant delay = target().values.shutdown_delay;
    const bool serves =
        std::ranges::any_of(workers_, [](const worker& each) { return each.at == phase::serving; });
    if (delay <= 0s || !serves || options_.trial) return stop(SIGTERM, options_.trial ? 1 : 0);
    closing_ = closing{now_, now_ + delay};
    const std::string length = fmt::format("{:g} s", std::chrono::duration<double>(delay).count());
    say(log::level::info, "shutdown_delay: serving for another {}, then shutting down", length);
    out_.emplace_back(action::announce_stop{});
    end_trial(SIGTERM);
    out_.emplace_back(action::notify{action::notify::state::stopping, "Shutting down in " + length});
}

void core::interrupt() {
    if (stopping_) return hasten_stop();
    stop(SIGQUIT, options_.trial ? 1 : 0);
}

void core::end_delay() {
    if (closing_ && now_ >= closing_->until) stop(SIGTERM, 0);
}

void core::stop(int signal, int code) {
    const instant limit = signal == SIGQUIT ? quick_limit : instant(target().values.graceful_timeout);
    closing_.reset();
    stopping_ = stopping{code, now_, now_ + limit + kill_limit};
    out_.emplace_back(action::stop_listening{});
    out_.emplace_back(action::notify{action::notify::state::stopping, "Shutting down"});
    end_trial(signal);
    for (preloader& each : preloaders_) {
        if (!each.expected) dismiss(each);
    }
    for (worker& each : workers_) {
        const bool on_its_way = each.at != phase::booting && each.at != phase::serving;
        each.expected = true;
        if (each.at == phase::killed || each.at == phase::aborted) continue;
        // Before it serves, a worker may have no handler yet: SIGQUIT would dump core.
        if (!on_its_way || signal != SIGTERM) send(each, each.was_ready ? signal : SIGTERM);
        each.deadline = on_its_way ? std::min(*each.deadline, now_ + limit) : now_ + limit;
        each.at = phase::leaving;
    }
}

void core::hasten_stop() {
    if (upgrade_ && upgrade_->pid != 0) end_trial(SIGQUIT);
    const bool waits =
        std::ranges::any_of(workers_, [](const worker& each) { return each.at == phase::leaving; });
    if (waits) say(log::level::info, "Signalled again: ending the workers without waiting for requests");
    stopping_->give_up = std::min(stopping_->give_up, now_ + quick_limit + kill_limit);
    for (worker& each : workers_) {
        if (each.at != phase::leaving) continue;
        send(each, each.was_ready ? SIGQUIT : SIGTERM);
        each.deadline = std::min(*each.deadline, now_ + quick_limit);
    }
    for (preloader& each : preloaders_) {
        if (each.deadline) each.deadline = std::min(*each.deadline, now_ + quick_limit);
    }
}

}  // namespace unicoro::master

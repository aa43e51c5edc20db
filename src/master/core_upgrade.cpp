// SPDX-License-Identifier: MIT
#include "master/core.hpp"
#include "os/signals.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// For what a trial does outside its worker: an interpreter starts, and perhaps preloads the application.
constexpr instant trial_margin = 60s;

std::string end_of(int status) {
    if (WIFSIGNALED(status)) return "it was sent " + os::signal_name(WTERMSIG(status));
    return fmt::format("it ended with code {}", WEXITSTATUS(status));
}

}  // namespace

void core::inherit(const std::vector<inherited_worker>& former) {
    next_ = current_;
    next_->settled = false;
    current_.id = 0;
    current_.strength = static_cast<int>(former.size());
    current_.proven = true;
    current_.settled = true;
    for (const inherited_worker& each : former) {
        worker known;
        known.slot = each.slot;
        known.pid = each.pid;
        known.at = each.leaves_by ? phase::leaving : phase::serving;
        known.inherited = true;
        known.expected = each.leaves_by.has_value();
        known.was_ready = true;
        known.born = each.born;
        known.deadline = each.leaves_by;
        workers_.push_back(known);
    }
    taking_over_ = true;
    // Whoever asked for readiness was told by the program before.
    announced_ = true;
}

std::vector<core::inherited_worker> core::legacy() const {
    std::vector<inherited_worker> left;
    for (const worker& each : workers_) {
        inherited_worker known{each.slot, each.pid, each.born, {}};
        if (each.at != phase::serving) known.leaves_by = each.deadline.value_or(now_);
        left.push_back(known);
    }
    return left;
}

void core::resume_strength(int configured, int strength) {
    if (!next_ || next_->values.workers != configured || strength <= 0) return;
    next_->strength = std::min(strength, options_.most_workers);
}

void core::ask_for_upgrade() {
    if (upgrade_ || taking_over_) {
        say(log::level::warning, "USR2 does nothing: an upgrade is under way already");
        return;
    }
    upgrade_ = upgrade{};
    if (next_) {
        say(log::level::info, "The upgrade waits for the reload that is under way");
    } else if (!announced_) {
        say(log::level::info, "The upgrade waits for the first workers");
    }
}

void core::plan_upgrade() {
    if (stopping_ || closing_) return;
    const bool busy = next_.has_value() || taking_over_ || !announced_ || !current_.settled;
    if (!busy && upgrade_ && upgrade_->at == upgrade::stage::waiting) {
        upgrade_->at = upgrade::stage::trying;
        out_.emplace_back(action::start_trial{});
        return;
    }
    if (reload_waits_ && !upgrade_ && !taking_over_) {
        reload_waits_ = false;
        begin_reload();
    }
}

void core::begin_reload() {
    const bool tried = upgrade_ && upgrade_->at != upgrade::stage::waiting;
    if (tried || taking_over_) {
        reload_waits_ = true;
        say(log::level::info, "The reload waits for the upgrade that is under way");
        return;
    }
    out_.emplace_back(action::notify{action::notify::state::reloading, "Reloading"});
    out_.emplace_back(action::reload_settings{});
}

void core::on(const event::trial_started& what) {
    if (!upgrade_) return;
    upgrade_->pid = what.pid;
    const limits& values = current_.values;
    if (stopping_ || closing_) return end_trial(SIGTERM);
    say(log::level::info, "Upgrade: the program is tried out (pid:{}), with one worker", what.pid);
    if (values.boot_timeout > 0ms) {
        upgrade_->deadline = now_ + values.boot_timeout + values.graceful_timeout + trial_margin;
    }
}

void core::on(const event::upgrade_failed& what) {
    if (!upgrade_) return;
    refuse_upgrade(what.reason);
}

void core::refuse_upgrade(const std::string& reason) {
    upgrade_.reset();
    if (stopping_ || closing_) return;
    note(happening::upgrade_refused);
    say(log::level::error, "Upgrade refused: {}. The running program and its workers stay as they are", reason
    );
    if (told_of_upgrade_) {
        out_.emplace_back(action::notify{action::notify::state::ready, "Upgrade refused"});
    }
    told_of_upgrade_ = false;
}

bool core::trial_ended(pid_t pid, int status) {
    if (!upgrade_ || upgrade_->pid != pid) return false;
    if (upgrade_->overdue) {
        refuse_upgrade("the program was not ready in time (boot_timeout)");
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || stopping_ || closing_) {
        refuse_upgrade("the program cannot serve: " + end_of(status) + ", the lines before say why");
    } else {
        upgrade_->at = upgrade::stage::proven;
        upgrade_->pid = 0;
        upgrade_->deadline.reset();
        if (std::exchange(reload_waits_, false)) {
            say(log::level::info, "The upgrade reads the settings anew, as the reload would have");
        }
        say(log::level::info, "Upgrade: the program can serve; this process becomes it");
        told_of_upgrade_ = true;
        out_.emplace_back(action::notify{action::notify::state::reloading, "Upgrading"});
        out_.emplace_back(action::become_successor{});
    }
    return true;
}

void core::end_trial(int signal) {
    if (!upgrade_ || upgrade_->pid == 0) return;
    out_.emplace_back(action::kill{upgrade_->pid, signal});
    // The trial gives its worker this long.
    upgrade_->deadline = now_ + current_.values.graceful_timeout + 5s;
}

void core::watch_trial() {
    if (!upgrade_ || upgrade_->pid == 0 || !upgrade_->deadline || now_ < *upgrade_->deadline) return;
    if (!std::exchange(upgrade_->overdue, true) && !stopping_) return end_trial(SIGTERM);
    out_.emplace_back(action::kill{upgrade_->pid, SIGKILL});
    upgrade_->deadline.reset();
}

// A successor has no way back: the former workers serve while it tries again.
bool core::bear_failure(const generation& of, const std::string& what) {
    if (!taking_over_ || !next_ || &of != &*next_) return false;
    const bool somebody = std::ranges::any_of(workers_, [](const worker& each) {
        return each.inherited && each.at == phase::serving;
    });
    if (!somebody) return false;
    say(log::level::error, "Upgrade: {} The former workers keep serving; another attempt follows", what);
    return true;
}

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
// Of a generation that is preloaded: the process that has its application and forks its workers.
#include "master/core.hpp"
#include "os/signals.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// It has nothing to finish but what the application does at exit.
constexpr instant leave_limit = 5s;

// From SIGABRT to SIGKILL, as for a worker.
constexpr instant abort_limit = 2s;

// One that has lived this long after it was ready did not die of being loaded.
constexpr instant stable = 5s;

}  // namespace

core::preloader* core::preloader_of(generation_id id) noexcept {
    const auto found = std::ranges::find_if(preloaders_, [id](const preloader& each) {
        return each.generation == id && !each.expected;
    });
    return found != preloaders_.end() ? &*found : nullptr;
}

bool core::can_fork(const generation& of) noexcept {
    if (!of.values.preload) return true;
    const preloader* const known = preloader_of(of.id);
    return known != nullptr && known->at == preloader::stage::ready;
}

// One that dies is made again at once, not when a worker is to be forked.
void core::plan_preloaders() {
    const bool current_may_fork = !taking_over_ && (!next_ || !next_->proven);
    for (preloader& each : preloaders_) {
        const bool needed =
            (each.generation == current_.id && current_may_fork) || (next_ && each.generation == next_->id);
        if (!needed && !each.expected) dismiss(each);
    }
    for (generation* each : {current_may_fork ? &current_ : nullptr, next_ ? &*next_ : nullptr}) {
        if (each == nullptr || !each->values.preload || now_ < each->next_spawn) continue;
        if (preloader_of(each->id) != nullptr) continue;
        preloader fresh;
        fresh.generation = each->id;
        if (each->values.boot_timeout > 0ms) fresh.deadline = now_ + each->values.boot_timeout;
        preloaders_.push_back(fresh);
        out_.emplace_back(action::preload{each->id});
    }
}

void core::dismiss(preloader& of) {
    of.expected = true;
    of.deadline = now_ + leave_limit;
    if (of.pid > 0 && of.at != preloader::stage::killed) out_.emplace_back(action::kill{of.pid, SIGTERM});
}

void core::watch(preloader& of) {
    if (!of.deadline || now_ < *of.deadline) return;
    of.deadline.reset();
    if (of.at == preloader::stage::loading && !of.expected) {
        say(log::level::error,
            "The process that loads the application (pid:{}) is not ready after boot_timeout",
            of.pid);
        out_.emplace_back(action::kill{of.pid, SIGABRT});
        of.at = preloader::stage::aborted;
        of.deadline = now_ + abort_limit;
        return;
    }
    if (of.at == preloader::stage::ready && !of.expected) return;
    out_.emplace_back(action::kill{of.pid, SIGKILL});
    of.at = preloader::stage::killed;
}

void core::on(const event::preloader_started& what) {
    for (preloader& each : preloaders_) {
        if (each.generation != what.generation || each.pid != 0) continue;
        each.pid = what.pid;
        if (each.expected) out_.emplace_back(action::kill{each.pid, SIGTERM});
    }
}

void core::on(const event::preloader_failed& what) {
    const auto is_it = [&what](const preloader& each) {
        return each.generation == what.generation && each.pid == 0;
    };
    if (std::erase_if(preloaders_, is_it) == 0 || stopping_) return;
    say(log::level::error, "Cannot start the process that loads the application: {}", what.reason);
    if (generation* known = find(what.generation)) count_failure(*known, known->failed_age + 1);
}

void core::on(const event::preloader_ready& what) {
    preloader* const of = preloader_of(what.generation);
    if (of == nullptr || of->at != preloader::stage::loading) return;
    of->at = preloader::stage::ready;
    of->ready_at = now_;
    of->deadline.reset();
    say(log::level::info, "The application is loaded in the process (pid:{}) that forks the workers", of->pid
    );
}

bool core::is_preloader(const event::child_ended& what) {
    const auto found = std::ranges::find(preloaders_, what.pid, &preloader::pid);
    if (found == preloaders_.end()) return false;
    const preloader gone = *found;
    preloaders_.erase(found);
    // What it was to fork comes no more.
    std::erase_if(workers_, [&gone](const worker& each) {
        return each.pid == 0 && each.generation == gone.generation;
    });
    if (gone.expected || stopping_) {
        say(log::level::debug, "The process with the application (pid:{}) has ended", gone.pid);
        return true;
    }
    const bool was_ready = gone.at == preloader::stage::ready;
    const int status = what.status;
    say(log::level::error,
        "The process that {} the application (pid:{}) {}",
        was_ready ? "has" : "loads",
        gone.pid,
        WIFSIGNALED(status) ? "was sent " + os::signal_name(WTERMSIG(status)) + "!"
                            : fmt::format("exited with code {}", WEXITSTATUS(status)));
    generation* const of = find(gone.generation);
    if (of == nullptr) return true;
    if (options_.trial) {
        fail_trial(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
        return true;
    }
    if (was_ready && now_ - gone.ready_at >= stable) {
        of->failures = 0;
        return true;
    }
    if (!was_ready && WIFEXITED(status) && ends_with(*of, WEXITSTATUS(status))) return true;
    count_failure(*of, of->failed_age + 1);
    return true;
}

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
#include "master/core.hpp"

#include "master/boot_failure.hpp"
#include "os/signals.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;

// A worker that dies sooner than this after its birth died of something a new one may die of too.
constexpr instant young = 5s;

constexpr instant first_delay = 100ms;
constexpr instant longest_delay = 30s;

// Attempts a reload has until its first worker is ready.
constexpr unsigned reload_attempts = 3;

double seconds(instant length) {
    return std::chrono::duration<double>(length).count();
}

bool is_boot_failure(int code) {
    return code == static_cast<int>(boot_failure::worker) ||
           code == static_cast<int>(boot_failure::application);
}

const char* boot_message(int code) {
    return code == static_cast<int>(boot_failure::application) ? "App failed to load."
                                                               : "Worker failed to boot.";
}

instant delay_after(unsigned failures) {
    if (failures < 2) return 0s;
    const unsigned doublings = std::min(failures - 2, 16U);
    return std::min<instant>(first_delay * (1U << doublings), longest_delay);
}

}  // namespace

std::string core::describe_kill(const worker& gone, const kill_evidence& evidence) const {
    std::string text = fmt::format("Worker (pid:{}) was ", gone.pid);
    if (evidence.source.empty()) {
        text += "sent SIGKILL! Perhaps out of memory?";
    } else if (evidence.out_of_memory) {
        text += fmt::format(
            "killed by the kernel for want of memory (oom_kill in {} has risen to {})!",
            evidence.source,
            evidence.count
        );
    } else {
        text += fmt::format(
            "sent SIGKILL! Not by this server, nor by the kernel for want of memory (oom_kill in {} stays at "
            "{}).",
            evidence.source,
            evidence.count
        );
    }
    if (gone.memory) text += fmt::format(" It had {}.", text_of(*gone.memory));
    return text + fmt::format(" It lived for {:.1f} s", seconds(now_ - gone.born));
}

void core::note_end(const worker& gone, const event::child_ended& what) noexcept {
    if (gone.over_limit) return note(happening::worker_too_big);
    const bool ended_here = gone.at == phase::aborted || gone.at == phase::killed;
    if (ended_here && !gone.expected) {
        return note(gone.was_ready ? happening::worker_timed_out : happening::worker_not_booted);
    }
    if (WIFSIGNALED(what.status)) {
        if (what.evidence.out_of_memory && !ended_here) return note(happening::worker_starved);
        return note(gone.expected ? happening::worker_ended : happening::worker_signalled);
    }
    const int code = WEXITSTATUS(what.status);
    if (code == 0) return note(gone.expected ? happening::worker_ended : happening::worker_exited);
    const bool booting = !gone.was_ready && is_boot_failure(code);
    note(booting ? happening::worker_not_booted : happening::worker_failed);
}

void core::describe_end(const worker& gone, const event::child_ended& what) {
    const int status = what.status;
    const double lived = seconds(now_ - gone.born);
    auto level = log::level::info;
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        const std::string name = os::signal_name(signal);
        if (signal == SIGKILL && gone.at != phase::killed) {
            level = log::level::error;
            say(level, "{}", describe_kill(gone, what.evidence));
        } else {
            const bool ours = gone.expected || gone.at == phase::aborted || gone.at == phase::killed;
            if (signal != SIGTERM && !ours) level = log::level::warning;
            say(level, "Worker (pid:{}) was sent {}! It lived for {:.1f} s", gone.pid, name, lived);
        }
    } else if (const int code = WEXITSTATUS(status); code != 0) {
        level = log::level::error;
        say(level, "Worker (pid:{}) exited with code {} after {:.1f} s", gone.pid, code, lived);
    } else {
        say(gone.expected ? log::level::debug : log::level::info,
            "Worker (pid:{}) exited after {:.1f} s",
            gone.pid,
            lived);
    }
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) == 0) return;
    const bool told_already = gone.at == phase::aborted || gone.at == phase::killed;
    if (!told_already) out_.emplace_back(action::log_requests{gone.slot, gone.pid, level});
    out_.emplace_back(action::log_lost{gone.slot, gone.pid});
}

void core::judge_end(const worker& gone, int status) {
    generation* of = find(gone.generation);
    if (of == nullptr) return;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (options_.trial) return fail_trial(gone.was_ready ? 0 : code);
    if (!gone.was_ready && ends_with(*of, code)) return;
    judge_life(gone);
}

void core::fail_trial(int code) {
    say(log::level::error, "{}", boot_message(code));
    stop(SIGQUIT, is_boot_failure(code) ? code : static_cast<int>(boot_failure::worker));
}

// The first of a generation to boot could not: neither will the others.
bool core::ends_with(const generation& of, int code) {
    if (of.proven || !is_boot_failure(code) || bear_failure(of, boot_message(code))) return false;
    if (taking_over_) {
        say(log::level::error, "{}", boot_message(code));
        stop(SIGQUIT, code);
        return true;
    }
    if (next_ && &of == &*next_) {
        give_up_reload(boot_message(code));
        return true;
    }
    if (next_) return false;
    say(log::level::error, "{}", boot_message(code));
    stop(SIGQUIT, code);
    return true;
}

void core::judge_life(const worker& gone) {
    if (gone.was_ready && now_ - gone.born >= young) return;
    if (generation* of = find(gone.generation)) count_failure(*of, gone.age);
}

// Workers that die together are one failure: only those born after the last counted one tell
// something new.
void core::count_failure(generation& of, std::uint64_t age) {
    if (age <= of.failed_age) return;
    of.failed_age = last_age_;
    ++of.failures;
    if (next_ && &of == &*next_ && !taking_over_ && !of.proven && of.failures >= reload_attempts) {
        return give_up_reload(fmt::format("{} new workers in a row did not boot.", of.failures));
    }
    const instant delay = delay_after(of.failures);
    of.next_spawn = now_ + delay;
    if (delay > 0s) {
        say(log::level::warning,
            "Workers die soon after they start ({} times in a row): the next one starts in {:.1f} s",
            of.failures,
            seconds(delay));
    }
}

void core::give_up_reload(const std::string& reason) {
    const generation_id failed = next_->id;
    note(happening::reload_failed);
    say(log::level::error,
        "Reload failed: {} The workers of the earlier settings keep serving; send HUP again when the fault "
        "is fixed",
        reason);
    next_.reset();
    for (worker& each : workers_) {
        if (each.generation == failed && !each.expected) dismiss(each);
    }
    out_.emplace_back(action::abandon{failed});
    tell_ready("Reload failed");
}

}  // namespace unicoro::master

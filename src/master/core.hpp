// SPDX-License-Identifier: MIT
#pragma once

#include "master/events.hpp"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace unicoro::master {

/// The decisions of the master as a pure state machine: events and the time in, actions out. It knows
/// no clock, no process and no file. Workers belong to generations: every accepted reload makes a new
/// one, whose first worker must become ready before any worker of the old one has to go (docs/design.md
/// shows it).
class core {
  public:
    struct options {
        std::size_t slots = 1;  ///< places for workers in the scoreboard, draining ones included
        int most_workers = 1;   ///< TTIN stops here
        bool daemon = false;    ///< WINCH counts only then, as gunicorn
        bool trial = false;     ///< one worker, to see whether it becomes ready; then the end, with code 0
    };

    /// A worker of the program that this process was before.
    struct inherited_worker {
        std::size_t slot = 0;
        pid_t pid = 0;
        instant born{0};
        std::optional<instant> leaves_by;  ///< it has been told to end
    };

    core(const limits& first, const options& chosen, generation_id first_generation);

    /// Before `start`, in the successor of another program: its workers serve until those of the first
    /// generation here do. `resume_strength` then keeps what TTIN and TTOU have made of `configured` workers.
    void inherit(const std::vector<inherited_worker>& former);
    void resume_strength(int configured, int strength);

    /// The first workers. Call once, before `step`.
    [[nodiscard]] actions start(instant now);

    [[nodiscard]] actions step(const any_event& what, instant now);

    /// The workers there are, as the successor of this program is to `inherit` them.
    [[nodiscard]] std::vector<inherited_worker> legacy() const;

    /// When the next `tick` is due, whatever else happens.
    [[nodiscard]] instant wake_at() const noexcept { return wake_at_; }

    /// How many workers shall run (settings, TTIN, TTOU, WINCH).
    [[nodiscard]] int strength() const noexcept { return target().strength; }

  private:
    enum class phase {
        booting,
        serving,
        leaving,  // told to end; `deadline` = SIGKILL
        aborted,  // sent SIGABRT; `deadline` = SIGKILL
        killed,   // sent SIGKILL
    };

    struct worker {
        std::size_t slot = 0;
        std::uint64_t age = 0;
        generation_id generation = 0;
        pid_t pid = 0;
        phase at = phase::booting;
        bool expected = false;  // its end is wanted, it does not count as a worker any more
        bool was_ready = false;
        bool retiring = false;
        bool distrusted = false;  // a warning about it was written
        bool inherited = false;   // of the program before: it cannot be heard, and not be started again
        instant born{0};
        instant ready_at{0};
        instant heard{0};  // last sign of life
        std::optional<instant> deadline;
    };

    struct generation {
        generation_id id = 0;
        limits values;
        int strength = 0;
        bool proven = false;           // a worker of it was ready
        bool settled = false;          // no earlier generation has workers to keep
        unsigned failures = 0;         // young deaths in a row
        std::uint64_t failed_age = 0;  // the youngest worker when the last one was counted
        instant next_spawn = instant::min();
    };

    struct upgrade {
        enum class stage {
            waiting,  // for a reload, or for the first workers
            trying,   // `pid` shows what it can
            proven,   // this process becomes the program
        };
        stage at = stage::waiting;
        pid_t pid = 0;
        std::optional<instant> deadline;
        bool overdue = false;
    };

    struct stopping {
        int code = 0;
        instant give_up{0};  // even SIGKILL did not help
    };

    // core.cpp
    void on(const event::tick& what);
    void on(const event::signal_arrived& what);
    void on(const event::child_ended& what);
    void on(const event::spawned& what);
    void on(const event::spawn_failed& what);
    void on(const event::settings_accepted& what);
    void on(const event::settings_refused& what);
    void on(const event::trial_started& what);
    void on(const event::upgrade_failed& what);
    void absorb_jump();
    void finish_step();
    [[nodiscard]] instant next_wake() const;

    // core_exits.cpp
    void describe_end(const worker& gone, int status);
    void judge_end(const worker& gone, int status);
    void judge_life(const worker& gone);
    void count_failure(generation& of, std::uint64_t age);
    void give_up_reload(const std::string& reason);

    // core_signals.cpp
    void change_strength(int by);
    void stop(int signal, int code);
    void hasten_stop();

    // core_upgrade.cpp
    void ask_for_upgrade();
    void plan_upgrade();
    void begin_reload();
    void refuse_upgrade(const std::string& reason);
    [[nodiscard]] bool trial_ended(pid_t pid, int status);
    void end_trial(int signal);
    void watch_trial();
    [[nodiscard]] bool bear_failure(const generation& of, const std::string& what);

    // core_watch.cpp
    void read(worker& of, const slot_reading& reading);
    void distrust(worker& of);
    void watch();
    void watch(worker& of);
    void abort(worker& of);
    void forgive_failures();
    void announce_ready();

    // core_plan.cpp
    void plan();
    void plan_steady();
    void plan_reload();
    void raise(const generation& of, int wanted, int have);
    void settle();
    bool spawn(const generation& of);
    void dismiss(worker& of);
    void shed_old(generation_id young, int keep);
    [[nodiscard]] int live(generation_id of) const;
    [[nodiscard]] int serving(generation_id of) const;

    template <class... Args>
    void say(log::level level, fmt::format_string<Args...> format, Args&&... args) {
        out_.emplace_back(action::log_line{level, fmt::format(format, std::forward<Args>(args)...)});
    }

    [[nodiscard]] const generation& target() const noexcept { return next_ ? *next_ : current_; }
    [[nodiscard]] generation* find(generation_id id) noexcept;

    options options_;
    generation current_;
    std::optional<generation> next_;  // a reload under way
    std::vector<worker> workers_;     // by age
    std::optional<stopping> stopping_;
    std::optional<upgrade> upgrade_;
    bool taking_over_ = false;      // from the program before, whose workers are current_
    bool told_of_upgrade_ = false;  // the service manager
    bool reload_waits_ = false;     // for the upgrade
    std::uint64_t last_age_ = 0;
    instant now_{0};
    instant started_{0};
    instant wake_at_ = instant::max();
    bool announced_ = false;
    bool ended_ = false;
    actions out_;
};

}  // namespace unicoro::master

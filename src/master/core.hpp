// SPDX-License-Identifier: MIT
#pragma once

#include "master/actions.hpp"
#include "master/core_parts.hpp"
#include "master/events.hpp"
#include "scoreboard/tally.hpp"

#include <fmt/core.h>

#include <optional>
#include <random>
#include <string>
#include <utility>

namespace unicoro::master {

/// The decisions of the master as a pure state machine: events and the time in, actions out. It knows
/// no clock, no process and no file. Workers belong to generations: every accepted reload makes a new
/// one, whose first worker must become ready before any worker of the old one has to go (docs/design.md
/// shows it).
class core {
  public:
    using options = core_parts::options;
    using inherited_worker = core_parts::inherited_worker;

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

    /// What has happened since `start`.
    [[nodiscard]] const scoreboard::happening_counts& happened() const noexcept { return happened_; }

    /// How many workers shall run (settings, TTIN, TTOU, WINCH).
    [[nodiscard]] int strength() const noexcept { return target().strength; }

  private:
    using phase = core_parts::phase;
    using worker = core_parts::worker;
    using preloader = core_parts::preloader;
    using monitor = core_parts::monitor;
    using generation = core_parts::generation;
    using happening = scoreboard::happening;
    using upgrade = core_parts::upgrade;
    using closing = core_parts::closing;
    using stopping = core_parts::stopping;

    // core.cpp
    void on(const event::tick& what);
    void on(const event::memory_read& what);
    void on(const event::signal_arrived& what);
    void on(const event::child_ended& what);
    void on(const event::spawned& what);
    void on(const event::spawn_failed& what);
    void on(const event::preloader_started& what);
    void on(const event::preloader_failed& what);
    void on(const event::preloader_ready& what);
    void on(const event::monitor_started& what);
    void on(const event::monitor_failed& what);
    void on(const event::settings_accepted& what);
    void on(const event::settings_refused& what);
    void on(const event::trial_started& what);
    void on(const event::upgrade_failed& what);
    void absorb_jump();
    void be_lenient();
    void finish_step();
    [[nodiscard]] instant next_wake() const;
    void send(const worker& to, int signal);

    // core_exits.cpp
    void describe_end(const worker& gone, const event::child_ended& what);
    void note_end(const worker& gone, const event::child_ended& what) noexcept;
    [[nodiscard]] std::string describe_kill(const worker& gone, const kill_evidence& evidence) const;
    void judge_end(const worker& gone, int status);
    void fail_trial(int code);
    [[nodiscard]] bool ends_with(const generation& of, int code);
    void judge_life(const worker& gone);
    void count_failure(generation& of, std::uint64_t age);
    void give_up_reload(const std::string& reason);

    // core_signals.cpp
    void change_strength(int by);
    void terminate();
    void interrupt();
    void end_delay();
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
    void tell_ready(std::string status);

    // core_recycle.cpp
    void set_limits(worker& of, const limits& values);
    void count_lifetime(worker& of, const limits& values);
    void retire_by_age(worker& of);
    void weigh(worker& of);
    void end_at_once(worker& of);
    [[nodiscard]] int wanted_successors() const;
    [[nodiscard]] std::uint64_t up_to(std::uint64_t most);

    // core_preload.cpp
    void plan_preloaders();
    void dismiss(preloader& of);
    void watch(preloader& of);
    [[nodiscard]] bool is_preloader(const event::child_ended& what);
    [[nodiscard]] preloader* preloader_of(generation_id id) noexcept;
    [[nodiscard]] bool can_fork(const generation& of) noexcept;

    // core_monitor.cpp
    void plan_monitors();
    void dismiss(monitor& of);
    void watch(monitor& of);
    void postpone_monitor();
    [[nodiscard]] bool is_monitor(const event::child_ended& what);

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

    void note(happening what) noexcept { ++happened_[static_cast<std::size_t>(what)]; }

    [[nodiscard]] const generation& target() const noexcept { return next_ ? *next_ : current_; }
    [[nodiscard]] generation* find(generation_id id) noexcept;

    options options_;
    generation current_;
    std::optional<generation> next_;  // a reload under way
    std::vector<worker> workers_;     // by age
    std::vector<preloader> preloaders_;
    std::vector<monitor> monitors_;
    unsigned monitor_failures_ = 0;  // in a row
    instant next_monitor_ = instant::min();
    scoreboard::happening_counts happened_{};
    std::optional<closing> closing_;
    std::optional<stopping> stopping_;
    std::optional<upgrade> upgrade_;
    bool taking_over_ = false;      // from the program before, whose workers are current_
    bool told_of_upgrade_ = false;  // the service manager
    bool reload_waits_ = false;     // for the upgrade
    std::uint64_t last_age_ = 0;
    std::minstd_rand dice_;
    instant now_{0};
    instant started_{0};
    instant wake_at_ = instant::max();
    instant lenient_until_{0};  // the master was late: who looks silent may have been stopped with it
    bool announced_ = false;
    bool ended_ = false;
    actions out_;
};

}  // namespace unicoro::master

// SPDX-License-Identifier: MIT
#pragma once

#include "master/core.hpp"

#include "support/doctest.hpp"

#include <map>
#include <string>
#include <vector>

namespace unicoro::master::testing {

using namespace std::chrono_literals;
using scoreboard::worker_state;
using lines = std::vector<std::string>;

/// Plays the world around a core: a clock that is set by hand, pids that are 100 + age (901, 902, ... for
/// what preloads, 951, ... for monitors), and a scoreboard. Every call returns the actions it led to, one
/// line of text each.
class core_driver {
  public:
    explicit core_driver(limits values, core::options shape = {64, 16, false});

    /// Before the first step: workers of the program before, which are ready unless they leave.
    void inherit(const std::vector<core::inherited_worker>& former);
    void resume_strength(int configured, int strength) { core_.resume_strength(configured, strength); }

    /// The first step, with answers to its spawns.
    lines start();

    /// The first step, and every worker ready one moment later.
    void start_ready();

    lines signal(int number);
    lines exits(pid_t pid, int code);
    lines killed(pid_t pid, int signal);

    /// The worker says this in its slot, and the core looks.
    lines says(pid_t pid, worker_state state);
    lines ready(pid_t pid) { return says(pid, worker_state::ready); }

    /// The worker gives this sign of life from now on, and the core looks.
    lines beats_like(pid_t pid, instant heartbeat);

    /// All workers are heard of, then the core looks.
    lines beat();

    /// Time passes, in one leap and without a sign of the workers.
    lines pass(instant length);

    /// Time passes with a look whenever the core asks for one, every half second at least, and heartbeats of
    /// all but `silent`.
    lines run(instant length, pid_t silent = 0);

    lines accept(generation_id id, limits values);
    lines refuse(std::vector<std::string> errors);
    lines feed(const any_event& what);

    /// The next forks fail.
    void break_fork() { fork_works_ = false; }

    /// Monitors stay unanswered.
    void hold_monitors() { monitors_are_held_ = true; }

    /// Spawns stay unanswered; `feed` gives the answers.
    void hold_forks() { forks_are_held_ = true; }

    [[nodiscard]] const core& machine() const { return core_; }
    [[nodiscard]] std::size_t alive() const { return workers_.size(); }

  private:
    struct worker {
        std::size_t slot = 0;
        worker_state state = worker_state::booting;
        instant heartbeat{0};
    };

    [[nodiscard]] event::tick seen() const;
    void answer(const actions& decided, lines& to);

    core core_;
    instant now_ = 1000s;
    std::map<pid_t, worker> workers_;
    bool fork_works_ = true;
    bool forks_are_held_ = false;
    bool monitors_are_held_ = false;
    pid_t last_preloader_ = 900;
    pid_t last_monitor_ = 950;
};

/// Those lines that start with `prefix`.
[[nodiscard]] lines only(const lines& all, const std::string& prefix);

}  // namespace unicoro::master::testing

/// Shows the actions of a failed comparison, one a line.
template <>
struct doctest::StringMaker<unicoro::master::testing::lines> {
    static String convert(const unicoro::master::testing::lines& all) {
        std::string text;
        for (const std::string& line : all) text += "\n    " + line;
        return text.c_str();
    }
};

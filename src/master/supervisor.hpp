// SPDX-License-Identifier: MIT
#pragma once

#include "master/children.hpp"
#include "master/core.hpp"
#include "master/launch_set.hpp"
#include "master/master.hpp"
#include "master/socket_store.hpp"
#include "master/succession.hpp"
#include "os/environment.hpp"
#include "os/forks.hpp"
#include "os/memory.hpp"
#include "os/notify.hpp"
#include "os/pidfile.hpp"
#include "os/signals.hpp"

#include <poll.h>

#include <cstddef>
#include <deque>
#include <map>
#include <optional>

namespace unicoro::master {

/// Places in the scoreboard for each worker: old and new generation, and those that still drain.
inline constexpr std::size_t slots_per_worker = 4;

/// A worker rings when it is ready, when it asks for its replacement and when it drains.
inline constexpr std::size_t most_rings = 64;

/// Performs what the core decides and tells it what happens. One per master process.
class supervisor {
  public:
    explicit supervisor(options chosen);

    /// See `master::run`.
    [[nodiscard]] ending run();

  private:
    // supervisor.cpp
    void loop();
    void turn();
    void wait();
    void hear(running& worker);
    void take_signals();
    void reap();
    void look();
    void weigh();
    [[nodiscard]] kill_evidence evidence_of(int status);
    void feed(const any_event& what);
    running& welcome(const action::spawn& what, pid_t pid, os::withheld_fd lifeline);
    void hand_logs(const running& to) const;
    void tell_strength();
    void perform(const action::spawn& what);
    void perform(const action::preload& what);
    void perform(const action::start_monitor& what);
    void perform(const action::kill& what);
    void perform(const action::log_line& what);
    void perform(const action::log_requests& what);
    void perform(const action::log_lost& what);
    void perform(const action::reopen_logs& what);
    void perform(const action::reload_settings& what);
    void perform(const action::settle& what);
    void perform(const action::abandon& what);
    void perform(const action::notify& what);
    void perform(const action::start_trial& what);
    void perform(const action::become_successor& what);
    void perform(const action::announce_stop& what);
    void perform(const action::stop_listening& what);
    void perform(const action::exit& what);

    // supervisor_start.cpp
    [[nodiscard]] std::optional<int> start();
    [[nodiscard]] std::optional<int> open_first_sockets(launch_set& set);
    [[nodiscard]] std::optional<int> open_first_listeners(launch_set& set);
    [[nodiscard]] std::optional<int> bind_first_listeners(launch_set& set, std::vector<bound_listener> known);
    [[nodiscard]] std::optional<int> open_first_admin(launch_set& set);
    [[nodiscard]] bool open_resources(const settings::server_settings& values);
    [[nodiscard]] std::optional<int> interrupted();
    void greet(const launch_set& set) const;

    // supervisor_reload.cpp
    [[nodiscard]] reload_outcome ask_for_settings();
    [[nodiscard]] std::vector<std::size_t> rows_of(const settings::server_settings& values);
    [[nodiscard]] std::vector<std::string> prepare(const reload_outcome& read);
    void drop_sets_before(generation_id kept);
    void drop_set(generation_id id);
    void show_title() const;

    // supervisor_certificates.cpp, supervisor_metrics.cpp
    void tell_metrics();
    void watch_certificates();
    void hand_certificates(const launch_set& of, const running& to) const;
    void hand_certificates_to_preloaders(const launch_set& of);

    // supervisor_upgrade.cpp
    [[nodiscard]] bool is_trial() const noexcept;
    [[nodiscard]] bool is_successor() const noexcept;
    void resume_sockets();
    void resume_workers();
    [[nodiscard]] bool resume_pidfile();
    [[nodiscard]] int begin_again(int failed);
    [[nodiscard]] succession succession_as(succession::role whose) const;
    [[nodiscard]] os::program program_with(int text) const;
    [[nodiscard]] os::outcome<void> begin_trial();
    void hear_trial();
    void end_of_trial();
    [[nodiscard]] scoreboard::counted counted_so_far() const;
    [[nodiscard]] limits limits_with(const settings::server_settings& values) const;

    // supervisor_preload.cpp
    void hear(preloader& from);
    void hand_logs_to_preloaders();
    void order_worker(const action::spawn& what);
    void send_orders(preloader& to);
    [[nodiscard]] error_code send_order(preloader& to);
    void take_answer(preloader& from, std::int64_t number);
    [[nodiscard]] bool awaits_worker() const noexcept;
    void end_overdue();
    [[nodiscard]] int be_preloader(generation_id generation, pid_t master, os::unique_fd line);
    [[nodiscard]] std::optional<int> fork_workers(generation_id generation);
    [[nodiscard]] std::optional<int> fork_worker(
        const action::spawn& what, os::unique_fd slot, os::unique_fd lifeline
    );

    // supervisor_monitor.cpp
    void forget_monitors();
    [[nodiscard]] error_code open_slot(const action::spawn& what, os::unique_fd& memory);
    void show_slot(const action::spawn& what, int memory);
    void hand_logs_to_monitors() const;
    void hand_to(const watching& monitor, const std::string& name, int file) const;
    void tell_tally();
    [[nodiscard]] int be_monitor(
        generation_id generation, os::unique_fd line, const scoreboard::happening_counts& told
    );

    // worker_process.cpp
    [[nodiscard]] launch_set& leave_master(generation_id generation);
    [[nodiscard]] int be_worker(const action::spawn& what, os::unique_fd lifeline);
    [[nodiscard]] int boot_worker(const action::spawn& what);

    options options_;
    companion nobody_;
    companion& companion_;  // the guest, or nobody
    std::optional<os::signal_source> signals_;
    os::service_notifier notifier_;
    socket_store store_;
    encryption encryption_;
    std::optional<os::pidfile> pidfile_;
    std::optional<os::pidfile> former_pidfile_;  // of the program before, while it may be needed
    std::optional<scoreboard::table> board_;
    std::optional<scoreboard::tally> tally_;
    os::environment_overlay environment_;
    std::map<generation_id, launch_set> sets_;
    generation_id settled_ = 1;
    generation_id newest_ = 1;
    bool activated_ = false;  // sockets came from systemd
    std::optional<core> core_;
    std::vector<running> workers_;
    std::vector<preloader> preloaders_;
    std::vector<watching> monitors_;
    std::vector<pollfd> watched_;
    pid_t trial_pid_ = 0;  // of an upgrade
    os::unique_fd trial_output_;
    std::string trial_text_;  // of a line that is not whole yet
    std::deque<any_action> pending_;
    instant next_watchdog_{0};
    instant next_weighing_{0};
    instant next_certificate_look_{0};
    instant next_metrics_{0};
    os::oom_counter oom_kills_;
    std::uint64_t oom_kills_seen_ = 0;
    bool told_of_proportion_ = false;
    std::optional<int> exit_code_;
    int told_strength_ = 0;
    bool was_ready_ = false;
    bool stop_announced_ = false;

    // In a process that preloads.
    os::withheld_fd preload_line_;

    // In the process of a worker, and of one that preloads; exit_code_ is its.
    bool is_worker_ = false;
    os::unique_fd lifeline_;
    std::vector<os::listener> worker_listeners_;
    std::optional<worker_launch> launch_;
};

/// Now, on the clock master and workers share.
[[nodiscard]] instant clock_now() noexcept;

/// As seen from the folder of this moment.
[[nodiscard]] std::string absolute_path(const std::string& path);

/// "unicoro: `role` [name]"
[[nodiscard]] std::string process_title(std::string_view role, const settings::server_settings& values);

}  // namespace unicoro::master

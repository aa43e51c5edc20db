// SPDX-License-Identifier: MIT
// The monitor: as the master has it, and how its process begins.
#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/supervisor.hpp"
#include "os/lifeline.hpp"
#include "os/memory_file.hpp"
#include "os/process.hpp"
#include "os/process_title.hpp"
#include "scoreboard/handed_slot.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace unicoro::master {
namespace {

std::vector<admin_socket> monitor_sockets(std::span<const bound_listener> bound) {
    std::vector<admin_socket> sockets;
    sockets.reserve(bound.size());
    for (const bound_listener& each : bound) sockets.push_back({each.asked, each.socket.socket_only()});
    return sockets;
}

}  // namespace

void supervisor::perform(const action::start_monitor& what) {
    auto line = os::make_lifeline();
    if (!line) return feed(event::monitor_failed{what.generation, line.error().message()});
    const std::optional<scoreboard::sight> seen = tally_->read();
    scoreboard::happening_counts told = seen ? seen->all.happened : core_->happened();
    // One that takes the place of another that is there comes of a reload, which is counted by now.
    std::uint64_t& reloads = told[static_cast<std::size_t>(scoreboard::happening::reload_completed)];
    if (!monitors_.empty() && what.generation == settled_ && reloads > 0) --reloads;
    const auto forked = os::fork_process();
    if (!forked) return feed(event::monitor_failed{what.generation, forked.error().message()});
    if (*forked == 0) {
        line->master_end.reset();
        is_worker_ = true;
        exit_code_ = be_monitor(what.generation, std::move(line->worker_end), told);
        return;
    }
    monitors_.push_back({*forked, os::withheld_fd(std::move(line->master_end))});
    feed(event::monitor_started{what.generation, *forked});
}

// What is not a worker's to know goes with this.
void supervisor::forget_monitors() {
    monitors_.clear();
    tally_.reset();
}

/// Memory that a monitor which is there already can have, too.
error_code supervisor::open_slot(const action::spawn& what, os::unique_fd& memory) {
    if (monitors_.empty()) return board_->open(what.slot, scoreboard::worker_state::booting);
    auto made = scoreboard::open_file(*board_, what.slot, scoreboard::worker_state::booting);
    if (!made) return made.error();
    memory = std::move(*made);
    return {};
}

void supervisor::show_slot(const action::spawn& what, int memory) {
    if (monitors_.empty() || memory < 0) return;
    const auto to_read = os::read_only_duplicate(memory);
    if (!to_read) {
        log::warning("The monitor cannot see the requests of a new worker: {}", to_read.error().message());
        return;
    }
    const std::string name = slot_name(what.slot, what.age);
    for (const watching& each : monitors_) hand_to(each, name, to_read->get());
}

void supervisor::hand_logs_to_monitors() const {
    for (const log::open_file& file : log::open_files()) {
        for (const watching& each : monitors_) hand_to(each, file.path, file.descriptor);
    }
}

// What it does not take it would lack for ever; the next one has all of it.
void supervisor::hand_to(const watching& monitor, const std::string& name, int file) const {
    const error_code failed = os::hand_file(monitor.line.get(), name, file);
    if (!failed || failed == os::system_error(EPIPE)) return;
    log::error("The monitor (pid:{}) hears nothing ({}): it is ended", monitor.pid, failed.message());
    (void)os::send_signal(monitor.pid, SIGKILL);
}

void supervisor::tell_tally() {
    tally_->tell(
        core_->happened(),
        settled_,
        static_cast<std::uint64_t>(std::max(core_->strength(), 0)),
        scoreboard::monotonic_now()
    );
}

int supervisor::be_monitor(
    generation_id generation, os::unique_fd line, const scoreboard::happening_counts& told
) {
    int code = 1;
    try {
        std::optional<scoreboard::tally> counts = std::move(tally_);
        launch_set& set = leave_master(generation);
        const settings::server_settings& values = *set.settings;
        set.directory.reset();
        set.listeners.clear();
        os::set_process_title(process_title("monitor", values));
        os::set_short_name("unicoro: monitor");
        error_code failed = scoreboard::make_read_only(*board_);
        if (!failed) failed = counts->make_read_only();
        const auto dropped = os::drop_privileges(set.privileges);
        if (failed) {
            log::critical("The monitor cannot make the scoreboard read-only: {}", failed.message());
        } else if (!dropped) {
            log::critical("{}", dropped.error().message);
        } else {
            const auto sockets = monitor_sockets(set.asked_by_http());
            const auto agents = monitor_sockets(set.asked_by_balancers());
            set.admin.clear();
            code = options_.monitor(
                {values, sockets, agents, *board_, *counts, line.get(), options_.version, told}
            );
        }
    } catch (const std::exception& error) {
        log::critical("The monitor ends after an exception: {}", base::exception_text(error));
    }
    // What else the process has, an interpreter perhaps, is the master's.
    log::settle();
    os::end_process(code);
}

}  // namespace unicoro::master

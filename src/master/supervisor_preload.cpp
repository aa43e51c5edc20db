// SPDX-License-Identifier: MIT
// Processes that hold the application of a generation, loaded, and fork its workers: as the master has them,
// and what they do.
#include "base/exception_text.hpp"
#include "base/text.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/handled_signals.hpp"
#include "master/supervisor.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"
#include "os/process_title.hpp"
#include "scoreboard/handed_slot.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

// What is handed to it beside log files, whose names are paths.
constexpr std::string_view lifeline_name = "\0lifeline"sv;
constexpr std::string_view order_name = "\0worker"sv;

// A fork copies page tables: a second for 100 GiB.
constexpr instant longest_fork = 20s;

// From the end of its line to that of the process.
constexpr instant time_to_go = 1s;

std::string written(const action::spawn& what) {
    return fmt::format("{},{},{}", order_name, what.slot, what.age);
}

std::optional<action::spawn> read_order(std::string_view text, generation_id generation) {
    const std::vector<std::string> words = base::split_list(text);
    if (words.size() != 3 || words[0] != order_name) return std::nullopt;
    const auto slot = base::parse_integer<std::size_t>(words[1]);
    const auto age = base::parse_integer<std::uint64_t>(words[2]);
    if (!slot || !age) return std::nullopt;
    return action::spawn{*slot, *age, generation};
}

}  // namespace

void supervisor::perform(const action::preload& what) {
    auto line = os::make_lifeline();
    if (!line) return feed(event::preloader_failed{what.generation, line.error().message()});
    if (const error_code failed = os::adopt_orphans()) {
        return feed(event::preloader_failed{what.generation, failed.message()});
    }
    const pid_t master = getpid();
    const auto forked = os::fork_process();
    if (!forked) return feed(event::preloader_failed{what.generation, forked.error().message()});
    if (*forked == 0) {
        line->master_end.reset();
        is_worker_ = true;
        exit_code_ = be_preloader(what.generation, master, std::move(line->worker_end));
        return;
    }
    preloaders_.push_back({*forked, what.generation, os::withheld_fd(std::move(line->master_end))});
    feed(event::preloader_started{what.generation, *forked});
}

void supervisor::hear(preloader& from) {
    const os::told_number come = os::take_number(from.line.get());
    if (!come.open) {
        from.line.reset();
        from.due = clock_now() + time_to_go;
    } else if (come.number) {
        take_answer(from, *come.number);
    }
}

void supervisor::hand_logs_to_preloaders() {
    for (preloader& each : preloaders_) {
        if (!each.orders.empty()) each.orders.front().missed_files = true;
    }
    for (const log::open_file& file : log::open_files()) {
        for (const preloader& each : preloaders_) {
            if (!each.line) continue;
            const auto failed = os::hand_file(each.line.get(), file.path, file.descriptor);
            if (!failed || failed == os::system_error(EPIPE)) continue;
            log::warning(
                "New workers keep using the former log file {}: {}", log::escaped(file.path), failed.message()
            );
        }
    }
}

/// Where it has ended, the core knows that as well, and waits for another one.
void supervisor::order_worker(const action::spawn& what) {
    const auto to = std::ranges::find(preloaders_, what.generation, &preloader::generation);
    if (to == preloaders_.end()) return;
    to->orders.push_back({what});
    if (to->orders.size() == 1) send_orders(*to);
}

void supervisor::send_orders(preloader& to) {
    while (to.line && !to.orders.empty()) {
        const error_code failed = send_order(to);
        if (!failed) {
            to.due = clock_now() + longest_fork;
            return;
        }
        // Its end is heard soon, and that of what it was to fork with it.
        if (failed == os::system_error(EPIPE)) return;
        feed(event::spawn_failed{to.orders.front().what.slot, failed.message()});
        to.orders.pop_front();
    }
}

error_code supervisor::send_order(preloader& to) {
    order& first = to.orders.front();
    const std::size_t index = first.what.slot;
    auto lifeline = os::make_lifeline();
    if (!lifeline) return lifeline.error();
    auto slot = scoreboard::open_file(*board_, index, scoreboard::worker_state::booting);
    if (!slot) return slot.error();
    board_->slot(index).server_stops.store(stop_announced_);
    const int line = to.line.get();
    if (const auto failed = os::hand_file(line, std::string(lifeline_name), lifeline->worker_end.get()))
        return failed;
    if (const auto failed = os::hand_file(line, written(first.what), slot->get())) return failed;
    first.lifeline = os::withheld_fd(std::move(lifeline->master_end));
    first.memory = os::withheld_fd(std::move(*slot));
    return {};
}

/// `number`: the pid of a new worker, why there is none, or 0 when the application is loaded.
void supervisor::take_answer(preloader& from, std::int64_t number) {
    if (from.orders.empty()) {
        if (number == 0) feed(event::preloader_ready{from.generation});
        return;
    }
    order done = std::move(from.orders.front());
    from.orders.pop_front();
    from.due = instant::max();
    const auto pid = static_cast<pid_t>(number);
    if (number > 0 && os::is_child(pid)) {
        companion_.adopted(done.what.age, pid);
        const running& made = welcome(done.what, pid, std::move(done.lifeline));
        show_slot(done.what, done.memory.get());
        if (done.missed_files) {
            hand_logs(made);
            hand_certificates(sets_.at(from.generation), made);
        }
    } else {
        const error_code failed = os::system_error(number < 0 ? static_cast<int>(-number) : ECHILD);
        feed(event::spawn_failed{done.what.slot, failed.message()});
    }
    send_orders(from);
}

bool supervisor::awaits_worker() const noexcept {
    return std::ranges::any_of(preloaders_, [](const preloader& each) {
        return each.line && !each.orders.empty();
    });
}

void supervisor::end_overdue() {
    for (preloader& each : preloaders_) {
        if (clock_now() < each.due) continue;
        each.due = instant::max();
        log::error(
            "The process with the application (pid:{}) {}: SIGKILL",
            each.pid,
            each.line ? "forks no worker" : "has lost touch with the master"
        );
        (void)os::send_signal(each.pid, SIGKILL);
    }
}

int supervisor::be_preloader(generation_id generation, pid_t master, os::unique_fd line) {
    try {
        launch_set& set = leave_master(generation);
        // Code that is being imported hears nothing of the line.
        if (!os::end_with_parent(master)) return static_cast<int>(boot_failure::worker);
        preload_line_ = os::withheld_fd(std::move(line));
        const settings::server_settings& values = *set.settings;
        os::set_process_title(process_title("preloader", values));
        os::set_short_name("unicoro: preload");
        set.admin.clear();
        if (const error_code failed = scoreboard::keep_none(*board_)) {
            log::critical("Cannot let go of the workers' memory: {}", failed.message());
            return static_cast<int>(boot_failure::worker);
        }
        if (const auto failure = companion_.preload(values, sockets_of(set))) {
            log::error("{}", failure->message);
            companion_.unload();
            return static_cast<int>(failure->code);
        }
        if (const auto worker_code = fork_workers(generation)) return *worker_code;
        // What the application does at exit may take a while.
        for (auto& [id, each] : sets_) each.listeners.clear();
        companion_.unload();
        return 0;
    } catch (const std::exception& error) {
        log::critical("Loading the application ends after an exception: {}", base::exception_text(error));
    }
    return static_cast<int>(boot_failure::worker);
}

/// Until the master wants no more; also comes back in each worker, at its end, with its exit code.
std::optional<int> supervisor::fork_workers(generation_id generation) {
    auto signals = os::signal_source::open(handled_signals);
    if (!signals) {
        log::critical("Cannot wait for signals: {}", signals.error().message());
        return static_cast<int>(boot_failure::worker);
    }
    signals_.emplace(std::move(*signals));
    os::tell_number(preload_line_.get(), 0);
    os::unique_fd lifeline;
    for (;;) {
        std::array<pollfd, 2> watched{{{signals_->fd(), POLLIN, 0}, {preload_line_.get(), POLLIN, 0}}};
        poll(watched.data(), watched.size(), log::flush_waiting() ? -1 : 1000);
        while (const auto signal = signals_->next()) {
            if (*signal == SIGTERM) return std::nullopt;
        }
        auto come = os::take_file(preload_line_.get());
        if (!come) return std::nullopt;
        if (!come->fd) continue;
        if (come->name == lifeline_name) {
            lifeline = std::move(come->fd);
            continue;
        }
        if (come->name == certificates_name) {
            renew_certificates(sets_.at(generation).certificates.served, come->fd.get());
            continue;
        }
        const auto ordered = read_order(come->name, generation);
        if (!ordered) {
            log::take_over({come->name, come->fd.get()});
            companion_.reopened_logs();
            continue;
        }
        const auto code = fork_worker(*ordered, std::move(come->fd), std::exchange(lifeline, {}));
        if (code) return code;
    }
}

/// The exit code in the worker, at its end.
std::optional<int> supervisor::fork_worker(
    const action::spawn& what, os::unique_fd slot, os::unique_fd lifeline
) {
    companion_.before_fork(what.age);
    const auto forked = os::fork_orphan();
    if (forked && *forked == 0) {
        companion_.forked(0);
        if (const error_code failed = scoreboard::attach(*board_, what.slot, slot.get())) {
            log::critical("Cannot map the worker's place in the scoreboard: {}", failed.message());
            return static_cast<int>(boot_failure::worker);
        }
        slot.reset();
        return be_worker(what, std::move(lifeline));
    }
    // No child of this process: its end is told to the master.
    companion_.forked(-1);
    os::tell_number(preload_line_.get(), forked ? *forked : -forked.error().value());
    return std::nullopt;
}

}  // namespace unicoro::master

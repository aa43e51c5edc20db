// SPDX-License-Identifier: MIT
// Processes that hold the application of a generation, loaded, and fork its workers: as the master has them,
// and what they do.
#include "base/exception_text.hpp"
#include "base/text.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/supervisor.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"
#include "os/process_title.hpp"
#include "scoreboard/handed_slot.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace unicoro::master {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

// What is handed to it beside log files, whose names are paths.
constexpr std::string_view lifeline_name = "\0lifeline"sv;
constexpr std::string_view order_name = "\0worker"sv;

// A fork copies page tables: a second for 100 GiB.
constexpr std::chrono::milliseconds longest_fork = 20s;

// Those that the master gets and acts on: here they change nothing.
constexpr std::array masters_signals{
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    SIGTTIN,
    SIGTTOU,
    SIGUSR1,
    SIGUSR2,
    SIGWINCH,
    SIGCHLD,
};

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
    const auto forked = os::fork_process();
    if (!forked) return feed(event::preloader_failed{what.generation, forked.error().message()});
    if (*forked == 0) {
        line->master_end.reset();
        is_worker_ = true;
        exit_code_ = be_preloader(what.generation, std::move(line->worker_end));
        return;
    }
    preloaders_.push_back({*forked, what.generation, std::move(line->master_end)});
    feed(event::preloader_started{what.generation, *forked});
}

void supervisor::hear(preloader& from) {
    const os::told_number come = os::take_number(from.line.get());
    if (!come.open) {
        from.line.reset();
    } else if (come.number == 0) {
        feed(event::preloader_ready{from.generation});
    }
}

void supervisor::hand_logs_to_preloaders() {
    for (const log::open_file& file : log::open_files()) {
        for (const preloader& each : preloaders_) {
            const auto failed = os::hand_file(each.line.get(), file.path, file.descriptor);
            if (!failed || failed == os::system_error(EPIPE)) continue;
            log::warning(
                "New workers keep using the former log file {}: {}", log::escaped(file.path), failed.message()
            );
        }
    }
}

/// Answers with the pid, as fork(2) does.
result<pid_t> supervisor::order_worker(preloader& from, const action::spawn& what, int lifeline) {
    const auto slot = scoreboard::open_file(*board_, what.slot, scoreboard::worker_state::booting);
    if (!slot) return slot.error();
    if (const auto failed = os::hand_file(from.line.get(), std::string(lifeline_name), lifeline))
        return failed;
    if (const auto failed = os::hand_file(from.line.get(), written(what), slot->get())) return failed;
    pollfd watched{from.line.get(), POLLIN, 0};
    const instant until = clock_now() + longest_fork;
    for (instant now = clock_now(); now < until; now = clock_now()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
        poll(&watched, 1, static_cast<int>(left.count()));
        const os::told_number come = os::take_number(from.line.get());
        if (!come.open) return os::system_error(EPIPE);
        if (!come.number) continue;
        if (*come.number > 0) return static_cast<pid_t>(*come.number);
        return os::system_error(static_cast<int>(-*come.number));
    }
    // Its late answer would be taken for that of the next order.
    (void)os::send_signal(from.pid, SIGKILL);
    return os::system_error(ETIMEDOUT);
}

int supervisor::be_preloader(generation_id generation, os::unique_fd line) {
    try {
        const launch_set& set = leave_master(generation);
        preload_line_ = os::withheld_fd(std::move(line));
        const settings::server_settings& values = *set.settings;
        os::set_process_title(process_title("preloader", values));
        os::set_short_name("unicoro: preload");
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
    auto signals = os::signal_source::open(masters_signals);
    if (!signals) {
        log::critical("Cannot wait for signals: {}", signals.error().message());
        return static_cast<int>(boot_failure::worker);
    }
    signals_.emplace(std::move(*signals));
    os::tell_number(preload_line_.get(), 0);
    os::unique_fd lifeline;
    for (;;) {
        std::array<pollfd, 2> watched{{{signals_->fd(), POLLIN, 0}, {preload_line_.get(), POLLIN, 0}}};
        poll(watched.data(), watched.size(), -1);
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
        const auto order = read_order(come->name, generation);
        if (!order) {
            log::take_over({come->name, come->fd.get()});
            companion_.reopened_logs();
            continue;
        }
        const auto code = fork_worker(*order, std::move(come->fd), std::move(lifeline));
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

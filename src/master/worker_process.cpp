// SPDX-License-Identifier: MIT
#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/supervisor.hpp"
#include "os/process_title.hpp"

#include <unistd.h>

namespace unicoro::master {

int supervisor::be_worker(const action::spawn& what, os::unique_fd lifeline) {
    lifeline_ = std::move(lifeline);
    int code = 1;
    try {
        code = boot_worker(what);
    } catch (const std::exception& error) {
        log::critical("The worker ends after an exception: {}", base::exception_text(error));
    } catch (...) {
        log::critical("The worker ends after an exception of unknown type");
    }
    log::info("Worker exiting (pid: {})", getpid());
    return code;
}

launch_set& supervisor::leave_master(generation_id generation) {
    log::follow_streams();
    // What is the master's must end with the master, not with its last worker.
    workers_.clear();
    preloaders_.clear();
    forget_monitors();
    preload_line_.reset();
    signals_.reset();
    trial_output_.reset();
    if (pidfile_) pidfile_->abandon();
    if (former_pidfile_) former_pidfile_->abandon();
    if (options_.daemon != nullptr) options_.daemon->abandon();
    os::reset_signals();
    os::ignore_write_signals();

    // Sockets of other settings would stay open with this worker.
    std::erase_if(sets_, [generation](const auto& each) { return each.first != generation; });
    launch_set& set = sets_.at(generation);
    set.enter_directory();
    if (generation != settled_) {
        const settings::server_settings& values = *set.settings;
        environment_.apply(values.raw_env);
        if (options_.adopt) options_.adopt(values);
        companion_.adopt(values);
        // What is forked from here has done so.
        settled_ = generation;
    }
    return set;
}

int supervisor::boot_worker(const action::spawn& what) {
    const pid_t pid = getpid();
    launch_set& set = leave_master(what.generation);
    const settings::server_settings& values = *set.settings;
    set.directory.reset();
    if (const error_code failed = board_->keep_only(what.slot)) {
        log::critical("Cannot let go of the other workers' memory: {}", failed.message());
        return static_cast<int>(boot_failure::worker);
    }
    board_->slot(what.slot).pid.store(pid);
    os::set_process_title(process_title("worker", values));
    os::set_short_name("unicoro: worker");
    log::info("Booting worker with pid: {}", pid);
    // The worker of a trial shows that it can serve, and serves nobody.
    if (is_trial()) set.listeners.clear();
    for (const bound_listener& each : set.listeners) worker_listeners_.push_back(each.socket.socket_only());
    // What holds a socket's file is the master's.
    set.listeners.clear();
    set.admin.clear();
    const bool becomes_another = set.privileges.uid && *set.privileges.uid != geteuid();
    if (const auto dropped = os::drop_privileges(set.privileges); !dropped) {
        log::critical("{}", dropped.error().message);
        return static_cast<int>(boot_failure::worker);
    }
    if (becomes_another) {
        os::show_identity(set.privileges);
        environment_.apply(values.raw_env);
    }
    launch_.emplace(worker_launch{
        what.slot,
        what.age,
        worker_listeners_,
        *board_,
        lifeline_.get(),
        values,
        set.certificates.served,
        set.rows
    });
    return options_.entry(*launch_);
}

}  // namespace unicoro::master

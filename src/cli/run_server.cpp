// SPDX-License-Identifier: MIT
#include "cli/run_server.hpp"

#include "app/make_host.hpp"
#include "cli/application_folder.hpp"
#include "cli/log_options.hpp"
#include "cli/options.hpp"
#include "cli/python_finder.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/encryption.hpp"
#include "master/launch_set.hpp"
#include "master/master.hpp"
#include "monitor/monitor.hpp"
#include "os/daemon.hpp"
#include "os/descriptors.hpp"
#include "os/identity.hpp"
#include "os/process.hpp"
#include "worker/descriptor_budget.hpp"
#include "worker/worker.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::cli {
namespace {

int refuse(const std::string& why, int code = exit_failure) {
    std::cerr << "unicoro: error: " << why << '\n';
    return code;
}

std::optional<std::string> open_logs(const settings::server_settings& values) {
    const os::outcome<os::privileges> owner = master::wanted_privileges(values);
    if (!owner) return owner.error().message;
    return log::open(log_options(values, *owner));
}

/// Whether the logs can be opened; then what goes wrong is for the running master, which reads it.
std::optional<std::string> open_trial_logs(const settings::server_settings& values) {
    const os::outcome<os::privileges> owner = master::wanted_privileges(values);
    if (!owner) return owner.error().message;
    log::options wanted = log_options(values, *owner);
    wanted.capture_output = false;
    wanted.keeps_stdout = true;
    if (auto failed = log::open(wanted)) return failed;
    wanted.errorlog = "-";
    wanted.accesslog.reset();
    wanted.syslog.reset();
    wanted.statsd.reset();
    wanted.loglevel = std::max(wanted.loglevel, log::level::warning);
    return log::open(wanted);
}

/// What a worker opens itself: event loop, log files, its line to the master, Python's.
constexpr std::size_t own_descriptors = 24;

void warn_of_few_descriptors(const settings::server_settings& values) {
    const worker::descriptor_budget budget{
        os::descriptor_limit(),
        own_descriptors + values.bind.size(),
        worker::descriptors_of_connection(values)
    };
    if (budget.connections() >= values.worker_connections) return;
    log::warning(
        "worker_connections: {} connections need more descriptors than a process may open here ({}, the "
        "hard limit): a worker takes about {} and keeps {} for the application; raise the limit "
        "(LimitNOFILE= of systemd, ulimit -Hn, docker run --ulimit nofile) or lower worker_connections",
        values.worker_connections,
        budget.limit,
        budget.connections(),
        budget.reserve()
    );
}

int run_worker(const master::worker_launch& launch, app::master_guest* guest) {
    return worker::run(launch, [&](app::load_error& error) {
        return app::make_host(launch.settings, error, guest);
    });
}

/// What a running master cannot change, because its interpreter has it: names of such settings.
std::vector<std::string> fixed_settings(
    const settings::server_settings& now, const settings::server_settings& wanted, bool guest
) {
    std::vector<std::string> names;
    const auto differs = [&names](const char* name, bool changed) {
        if (changed) names.emplace_back(name);
    };
    differs("python", guest && now.python != wanted.python);
    const bool called = guest && app::calls_python_in_master(now);
    const bool would_be = guest && app::calls_python_in_master(wanted);
    differs("hooks", (called || would_be) && now.hooks != wanted.hooks);
    differs("pythonpath", called && now.pythonpath != wanted.pythonpath);
    if (!guest && app::needs_python(wanted)) {
        names.emplace_back(app::has_python(wanted) ? "app" : "hooks");
    }
    return names;
}

master::reload_outcome reload(
    const settings::load_request& request, const settings::server_settings& first, bool guest
) {
    settings::outcome read = settings::load(request);
    for (const std::string& warning : read.warnings) log::warning("{}", warning);
    master::reload_outcome outcome;
    outcome.errors = std::move(read.errors);
    if (outcome.errors.empty()) {
        for (const std::string& name : fixed_settings(first, read.settings, guest)) {
            outcome.errors.push_back(
                name + ": cannot change while the master runs, because the master uses it: restart the server"
            );
        }
    }
    if (outcome.errors.empty()) {
        if (const auto failed = enter_directory(request.directory, read.settings))
            outcome.errors.push_back(*failed);
    }
    if (outcome.errors.empty()) {
        warn_of_few_descriptors(read.settings);
    }
    outcome.settings = std::make_shared<const settings::server_settings>(std::move(read.settings));
    return outcome;
}

void adopt(const settings::server_settings& values) {
    if (const auto failed = open_logs(values)) log::error("the logs stay as they are: {}", *failed);
}

/// Of settings that concern Python's logging.
void tell_of_logging(bool has_python) {
    if (has_python) {
        log::info(
            "Logging: logger_class and logconfig apply to Python's loggers and the access log; the server "
            "writes its own messages as they are"
        );
    } else {
        log::warning("logger_class and logconfig have no effect: no application is Python's");
    }
}

/// What is to know of the interpreter before anything else.
std::string describe(const app::python_process& python) {
    return "Python: " + python.executable() + " (" + python.release() + ")";
}

/// Who is not root could have root run what he likes at the next start.
void warn_of_foreign_python(const std::string& interpreter) {
    if (geteuid() != 0) return;
    const std::filesystem::path given(interpreter);
    std::error_code failed;
    for (const std::filesystem::path& each :
         {given.parent_path(), given, std::filesystem::canonical(given, failed)}) {
        struct stat found{};
        if (each.empty() || lstat(each.c_str(), &found) != 0 || found.st_uid == 0) continue;
        const std::string number = std::to_string(found.st_uid);
        const os::outcome<os::user_identity> owner = os::find_user(number);
        log::warning(
            "root runs {}, which {} can change ({}): give it and its environment to root, or start the "
            "server as the user of the workers",
            interpreter,
            owner && !owner->name.empty() ? owner->name : "user " + number,
            each.string()
        );
        return;
    }
}

/// Environments that were passed over on the way to this interpreter.
void warn_of_environments(const settings::server_settings& values) {
    const os::outcome<chosen_python> chosen = choose_python(search_of(values));
    if (!chosen) return;
    for (const std::string& note : chosen->notes) log::warning("{}", note);
}

std::optional<std::string> fault_in_certificates(const settings::server_settings& values) {
    const auto made = master::encryption().open(values);
    return made ? std::nullopt : std::optional(made.error().message);
}

}  // namespace

int run_server(
    const settings::load_request& request, settings::outcome first, const invocation& how, os::program begun
) {
    auto former = master::take_succession();
    if (!former) return refuse(former.error().message);
    const bool trial = *former && (*former)->as == master::succession::role::trial;
    const auto values = std::make_shared<const settings::server_settings>(std::move(first.settings));
    if (const auto failed = enter_directory(request.directory, *values)) return refuse(*failed);

    std::optional<os::daemon_link> daemon;
    // After an upgrade the process is one already.
    if (values->daemon && !*former) {
        os::outcome<os::daemon_link> link = os::daemonise();
        if (!link) return refuse(link.error().message);
        daemon.emplace(std::move(*link));
    }
    if (const auto failed = trial ? open_trial_logs(*values) : open_logs(*values)) {
        if (daemon) daemon->report(exit_failure);
        return refuse(*failed);
    }
    for (const std::string& warning : first.warnings) log::warning("{}", warning);
    os::raise_descriptor_limit();
    warn_of_few_descriptors(*values);

    master::options options;
    options.settings = values;
    options.begun = std::move(begun);
    options.former = std::move(*former);
    if (settings::shapes_logging(*values)) tell_of_logging(app::has_python(*values));
    std::unique_ptr<app::master_guest> guest;
    if (app::needs_python(*values)) {
        guest = how.python->make_guest(*values);
        options.guest = guest.get();
        options.about = describe(*how.python);
        warn_of_foreign_python(how.python->executable());
        if (how.launched) warn_of_environments(*values);
    }
    if (values->preload_app && !app::has_python(*values)) {
        log::warning("preload_app has no effect: each worker loads a native application by itself");
    }
    options.entry = [&guest](const master::worker_launch& launch) { return run_worker(launch, guest.get()); };
    options.monitor = monitor::run;
    options.reload = [&request, values, &guest] { return reload(request, *values, guest != nullptr); };
    options.adopt = adopt;
    options.version = UNICORO_VERSION;
    options.daemon = daemon ? &*daemon : nullptr;
    const master::ending ended = master::run(std::move(options));
    log::settle();
    // Exit handlers and what else there is belong to the master.
    if (ended.is_worker && (how.python == nullptr || !how.python->ends_worker(ended.code))) {
        os::end_process(ended.code);
    }
    return ended.code;
}

int check_application(
    const settings::load_request& request,
    const settings::server_settings& values,
    app::python_process* python
) {
    if (const auto failed = enter_directory(request.directory, values)) return refuse(*failed);
    if (const auto fault = fault_in_certificates(values)) return refuse(*fault);
    std::unique_ptr<app::master_guest> guest;
    if (app::needs_python(values)) guest = python->make_guest(values);
    asio::io_context io{1};
    aio::task_group tasks(io);
    app::worker_context context{io, values, 0, 0, [] {}, &tasks};
    app::load_error error;
    const std::unique_ptr<app::host> host = app::make_host(values, error, guest.get());
    std::optional<app::load_error> failed;
    if (host) {
        failed = host->load(context);
    } else {
        failed = error;
    }
    if (failed) return refuse(failed->message, static_cast<int>(failed->code));
    std::cout << "unicoro: the settings are good, " << settings::describe_applications(values) << " loads ("
              << host->interface_name() << ")\n";
    return exit_ok;
}

}  // namespace unicoro::cli

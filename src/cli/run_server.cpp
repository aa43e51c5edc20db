// SPDX-License-Identifier: MIT
#include "cli/run_server.hpp"

#include "app/make_host.hpp"
#include "app/python_finder.hpp"
#include "cli/log_options.hpp"
#include "cli/options.hpp"
#include "log/log.hpp"
#include "master/launch_set.hpp"
#include "master/master.hpp"
#include "os/daemon.hpp"
#include "os/descriptors.hpp"
#include "worker/descriptor_budget.hpp"
#include "worker/worker.hpp"

#include <boost/asio/io_context.hpp>

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicoro::cli {
namespace {

int refuse(const std::string& why, int code = exit_failure) {
    std::cerr << "unicoro: error: " << why << '\n';
    return code;
}

/// Goes where `chdir` says, seen from where the server was started, or back there; the sentence for the
/// operator when that fails.
std::optional<std::string> enter_directory(
    const std::filesystem::path& start, const settings::server_settings& values
) {
    const std::filesystem::path target = values.chdir ? start / *values.chdir : start;
    if (target.empty() || chdir(target.c_str()) == 0) return std::nullopt;
    // Without `chdir` it has always been possible to go on from a folder that is gone.
    if (!values.chdir) return std::nullopt;
    return "chdir " + *values.chdir + ": " + os::last_error().message() + " (" + target.string() + ")";
}

std::optional<std::string> open_logs(const settings::server_settings& values) {
    const os::outcome<os::privileges> owner = master::wanted_privileges(values);
    if (!owner) return owner.error().message;
    return log::open(log_options(values, *owner));
}

/// What a worker opens itself: event loop, log files, its line to the master, Python's.
constexpr std::size_t own_descriptors = 24;

void warn_of_few_descriptors(const settings::server_settings& values) {
    const worker::descriptor_budget budget{os::descriptor_limit(), own_descriptors + values.bind.size()};
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
    differs("preload_app", now.preload_app != wanted.preload_app);
    if (!guest) {
        differs("hooks", app::needs_master_guest(wanted));
        return names;
    }
    differs("hooks", now.hooks != wanted.hooks);
    differs("python", now.python != wanted.python);
    differs("pythonpath", now.pythonpath != wanted.pythonpath);
    differs("app", now.preload_app && (now.app != wanted.app || now.apps != wanted.apps));
    return names;
}

master::reload_outcome reload(
    const settings::load_request& request,
    const settings::server_settings& first,
    bool guest,
    std::string_view before
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
        const std::string about = app::prepare_hosts(read.settings);
        if (about != before) log::info("{}", about);
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

}  // namespace

int run_server(const settings::load_request& request, settings::outcome first) {
    const auto values = std::make_shared<const settings::server_settings>(std::move(first.settings));
    if (const auto failed = enter_directory(request.directory, *values)) return refuse(*failed);

    std::optional<os::daemon_link> daemon;
    if (values->daemon) {
        os::outcome<os::daemon_link> link = os::daemonise();
        if (!link) return refuse(link.error().message);
        daemon.emplace(std::move(*link));
    }
    if (const auto failed = open_logs(*values)) {
        if (daemon) daemon->report(exit_failure);
        return refuse(*failed);
    }
    for (const std::string& warning : first.warnings) log::warning("{}", warning);
    os::raise_descriptor_limit();
    warn_of_few_descriptors(*values);

    master::options options;
    options.settings = values;
    options.about = app::prepare_hosts(*values);
    if (settings::shapes_logging(*values)) tell_of_logging(app::has_python(*values));
    std::unique_ptr<app::master_guest> guest;
    if (app::needs_master_guest(*values)) {
        app::load_error error;
        guest = app::make_python_guest(*values, error);
        if (!guest) {
            log::error("{}", error.message);
            if (daemon) daemon->report(static_cast<int>(error.code));
            return static_cast<int>(error.code);
        }
        options.guest = guest.get();
    } else if (values->preload_app) {
        log::warning("preload_app has no effect: each worker loads a native application by itself");
    }
    options.entry = [&guest](const master::worker_launch& launch) { return run_worker(launch, guest.get()); };
    options.reload = [&request, values, &guest, about = options.about] {
        return reload(request, *values, guest != nullptr, about);
    };
    options.adopt = adopt;
    options.version = UNICORO_VERSION;
    options.daemon = daemon ? &*daemon : nullptr;
    return master::run(std::move(options));
}

int check_application(const settings::load_request& request, const settings::server_settings& values) {
    if (const auto failed = enter_directory(request.directory, values)) return refuse(*failed);
    [[maybe_unused]] const std::string about = app::prepare_hosts(values);
    asio::io_context io{1};
    aio::task_group tasks(io);
    app::worker_context context{io, values, 0, 0, [] {}, &tasks};
    app::load_error error;
    const std::unique_ptr<app::host> host = app::make_host(values, error);
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

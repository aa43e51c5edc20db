// SPDX-License-Identifier: MIT
#include "cli/run_server.hpp"

#include "app/make_host.hpp"
#include "cli/log_options.hpp"
#include "cli/options.hpp"
#include "log/log.hpp"
#include "master/launch_set.hpp"
#include "master/master.hpp"
#include "os/daemon.hpp"
#include "os/socket_address.hpp"
#include "worker/worker.hpp"

#include <boost/asio/io_context.hpp>

#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace unicoro::cli {
namespace {

int refuse(const std::string& why, int code = exit_failure) {
    std::cerr << "unicoro: error: " << why << '\n';
    return code;
}

/// Goes where `chdir` says; the sentence for the operator when that fails.
std::optional<std::string> enter_directory(const settings::server_settings& values) {
    if (!values.chdir || chdir(values.chdir->c_str()) == 0) return std::nullopt;
    return "chdir " + *values.chdir + ": " + os::last_error().message();
}

std::optional<std::string> open_logs(const settings::server_settings& values) {
    const os::outcome<os::privileges> owner = master::wanted_privileges(values);
    if (!owner) return owner.error().message;
    return log::open(log_options(values, *owner));
}

worker::listening_socket describe(const os::listener& listener) {
    worker::listening_socket described;
    described.fd = listener.fd();
    described.port = listener.port();
    described.unix_socket = listener.family() == os::address_family::unix_path;
    if (const auto local = os::local_address(listener.fd())) {
        described.address = local->text();
        if (!described.unix_socket) {
            described.address.resize(described.address.rfind(':'));
            if (described.address.starts_with('[')) {
                described.address = described.address.substr(1, described.address.size() - 2);
            }
        }
    }
    return described;
}

int run_worker(const master::worker_launch& launch) {
    worker::launch how{
        launch.slot,
        launch.board,
        {},
        launch.lifeline_fd,
        launch.wake_fd,
        launch.settings,
        [&](app::load_error& error) { return app::make_host(launch.settings, error); }};
    for (const os::listener& each : launch.listeners) how.listeners.push_back(describe(each));
    return worker::run(how);
}

master::reload_outcome reload(const settings::load_request& request) {
    settings::outcome read = settings::load(request);
    for (const std::string& warning : read.warnings) log::warning("{}", warning);
    master::reload_outcome outcome;
    outcome.errors = std::move(read.errors);
    if (outcome.errors.empty()) {
        if (const auto failed = enter_directory(read.settings)) outcome.errors.push_back(*failed);
    }
    outcome.settings = std::make_shared<const settings::server_settings>(std::move(read.settings));
    return outcome;
}

void adopt(const settings::server_settings& values) {
    if (const auto failed = open_logs(values)) log::error("the logs stay as they are: {}", *failed);
}

}  // namespace

int run_server(const settings::load_request& request, settings::outcome first) {
    const auto values =
        std::make_shared<const settings::server_settings>(std::move(first.settings));
    if (const auto failed = enter_directory(*values)) return refuse(*failed);

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

    master::options options;
    options.settings = values;
    options.entry = run_worker;
    options.reload = [&request] { return reload(request); };
    options.adopt = adopt;
    options.version = UNICORO_VERSION;
    options.daemon = daemon ? &*daemon : nullptr;
    return master::run(std::move(options));
}

int check_application(const settings::server_settings& values) {
    if (const auto failed = enter_directory(values)) return refuse(*failed);
    asio::io_context io{1};
    aio::task_group tasks(io);
    app::worker_context context{io, values, 0, [] {}, &tasks};
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

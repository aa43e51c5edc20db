// SPDX-License-Identifier: MIT
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/handled_signals.hpp"
#include "master/supervisor.hpp"
#include "os/descriptors.hpp"
#include "settings/names.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <random>

namespace unicoro::master {
namespace {

constexpr int bind_attempts = 5;  // gunicorn's, one second apart
constexpr std::size_t fewest_slots = 512;

// A worker with more requests than this at once does not list them all.
constexpr std::size_t most_requests_listed = 1024;

os::stream_policy stream_policy_of(const settings::server_settings& values) {
    if (values.capture_output && values.errorlog != "-") return os::stream_policy::keep;
    return values.enable_stdio_inheritance ? os::stream_policy::keep_unless_tty : os::stream_policy::silence;
}

bool is_at(const os::listener& socket, const settings::bind_address& asked) {
    using kind = settings::bind_address::kind;
    switch (asked.type) {
        case kind::tcp:
            return !socket.is_unix() && socket.port() == asked.port &&
                   socket.address() == (asked.host.empty() ? "0.0.0.0" : asked.host);
        case kind::unix_path: return socket.is_unix() && socket.address() == asked.path;
        case kind::inherited_fd: break;
    }
    return socket.fd() == asked.fd;
}

// A socket that was passed counts, as with gunicorn.
void warn_of_unused_bind(const settings::server_settings& values, const std::vector<bound_listener>& passed) {
    if (values.bind_origin.empty()) return;
    std::string unused;
    for (const settings::bind_address& each : values.bind) {
        const auto is_it = [&each](const bound_listener& one) { return is_at(one.socket, each); };
        if (std::ranges::any_of(passed, is_it)) continue;
        unused += (unused.empty() ? "" : ", ") + each.text;
    }
    if (unused.empty()) return;
    log::warning(
        "{}: {} is not listened on: the service manager has passed sockets (LISTEN_FDS), and only those are "
        "used; remove one of the two",
        values.bind_origin,
        log::escaped(unused)
    );
}

}  // namespace

// The end of a wait of one second: the exit code when a signal ended it.
std::optional<int> supervisor::interrupted() {
    pollfd watched{signals_->fd(), POLLIN, 0};
    const instant until = clock_now() + std::chrono::seconds(1);
    while (clock_now() < until) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_now());
        poll(&watched, 1, static_cast<int>(left.count()));
        while (const auto signal = signals_->next()) {
            if (*signal == SIGTERM || *signal == SIGINT || *signal == SIGQUIT) return 0;
        }
    }
    return std::nullopt;
}

std::optional<int> supervisor::open_first_sockets(launch_set& set) {
    if (const auto code = open_first_listeners(set)) return code;
    return open_first_admin(set);
}

std::optional<int> supervisor::open_first_listeners(launch_set& set) {
    const settings::server_settings& values = *set.settings;
    std::vector<bound_listener> known;
    std::vector<os::manager_socket> passed;
    if (options_.former) {
        known = sets_.at(former_set).listeners;
        activated_ = options_.former->activated;
        if (!activated_) store_.assume(known);
    } else {
        passed = os::take_systemd_sockets();
        known = store_.resume(passed, values);
        activated_ = !passed.empty();
    }
    if (!activated_) return bind_first_listeners(set, std::move(known));
    if (options_.former) {
        set.listeners = std::move(known);
        return std::nullopt;
    }
    auto activated = activated_listeners(passed, values);
    if (!activated) {
        log::error("{}", activated.error().message);
        return 1;
    }
    set.listeners = std::move(*activated);
    store_.keep({});
    warn_of_unused_bind(values, set.listeners);
    return std::nullopt;
}

std::optional<int> supervisor::bind_first_listeners(launch_set& set, std::vector<bound_listener> known) {
    const auto how = is_trial() ? keeping::untouched : keeping::adjusted;
    for (int attempt = 1;; ++attempt) {
        auto opened = open_listeners(*set.settings, set.privileges, known, how);
        if (opened) {
            set.listeners = std::move(*opened);
            store_.keep(set.listeners);
            return std::nullopt;
        }
        if (!known.empty() && !options_.former) {
            log::warning("{}; the sockets that were stored are given up", opened.error().message);
            store_.forget();
            known.clear();
            continue;
        }
        log::error("{}", opened.error().message);
        if (opened.error().code != os::system_error(EADDRINUSE) || attempt == bind_attempts) return 1;
        log::error("Retrying in 1 second.");
        if (const auto code = interrupted()) return code;
    }
}

// A trial leaves what it would listen on to the running master.
std::optional<int> supervisor::open_first_admin(launch_set& set) {
    if (is_trial()) return std::nullopt;
    std::vector<bound_listener> known;
    if (options_.former) known = sets_.at(former_set).admin;
    auto opened = open_admin_listeners(*set.settings, set.privileges, known);
    if (!opened) {
        log::error("{}", opened.error().message);
        return 1;
    }
    set.admin = std::move(*opened);
    return std::nullopt;
}

bool supervisor::open_resources(const settings::server_settings& values) {
    std::size_t slots = std::max(fewest_slots, static_cast<std::size_t>(values.workers) * slots_per_worker);
    if (options_.former) slots += options_.former->workers.size();
    auto board = scoreboard::table::create(slots, std::min(values.worker_connections, most_requests_listed));
    if (!board) {
        log::error("Cannot map the scoreboard: {}", board.error().message());
        return false;
    }
    board_.emplace(std::move(*board));
    auto counts = scoreboard::tally::create(slots);
    if (!counts) {
        log::error("Cannot map what is counted: {}", counts.error().message());
        return false;
    }
    tally_.emplace(std::move(*counts));
    if (is_successor()) tally_->resume(options_.former->counts);
    if (options_.former && resume_pidfile()) return true;
    if (!values.pidfile) return true;
    auto file = os::pidfile::create(*values.pidfile);
    if (!file) {
        log::error("{}", file.error().message);
        return false;
    }
    pidfile_.emplace(std::move(*file));
    return true;
}

void supervisor::greet(const launch_set& set) const {
    std::string addresses;
    for (const bound_listener& each : set.listeners) {
        if (!addresses.empty()) addresses += ", ";
        addresses += each.socket.text(set.certificates.served != nullptr);
    }
    log::info("Listening at: {} ({})", addresses, getpid());
    for (const bound_listener& each : set.asked_by_http()) {
        log::info("Monitor listening at: {}", each.socket.text());
    }
    for (const bound_listener& each : set.asked_by_balancers()) {
        log::info("Agent checks answered at: {}:{}", each.socket.address(), each.socket.port());
    }
    const std::string& written = set.settings->worker_class_name;
    log::info(
        "Using worker: {}", written.empty() ? settings::to_string(set.settings->worker_class) : written
    );
    log::info("Application: {}", settings::describe_applications(*set.settings));
    if (!options_.about.empty()) log::info("{}", options_.about);
}

std::optional<int> supervisor::start() {
    const settings::server_settings& values = *options_.settings;
    log::info("Starting unicoro {}", options_.version);
    auto signals = os::signal_source::open(handled_signals);
    if (!signals) {
        log::error("Cannot wait for signals: {}", signals.error().message());
        return 1;
    }
    signals_.emplace(std::move(*signals));
    os::ignore_write_signals();
    if (options_.former) resume_sockets();
    launch_set first;
    first.id = settled_;
    first.settings = options_.settings;
    first.directory = os::current_folder();
    const auto privileges = wanted_privileges(values);
    if (!privileges) {
        log::error("{}", privileges.error().message);
        return 1;
    }
    first.privileges = *privileges;
    auto certificates = encryption_.open(values);
    if (!certificates) {
        log::error("{}", certificates.error().message);
        return 1;
    }
    first.certificates = std::move(*certificates);
    if (!open_resources(values)) return 1;
    if (const auto code = open_first_sockets(first)) return code;
    first.rows = rows_of(values);
    // As gunicorn tells applications; its name is what they look for.
    setenv("SERVER_SOFTWARE", fmt::format("unicoro/{} (gunicorn)", options_.version).c_str(), 1);
    environment_.apply(values.raw_env);
    greet(first);
    sets_.emplace(first.id, std::move(first));
    show_title();
    if (options_.daemon != nullptr) {
        // From here on the workers inherit the streams: none may hold the terminal.
        if (const error_code failed = os::detach_streams(stream_policy_of(values))) {
            log::error("Cannot detach from the terminal: {}", failed.message());
            return 1;
        }
        log::follow_streams();
    }
    if (const auto failure = companion_.start(sockets_of(sets_.at(settled_)))) {
        log::error("{}", failure->message);
        return static_cast<int>(failure->code);
    }
    core::options shape;
    shape.slots = board_->size();
    shape.most_workers = static_cast<int>(shape.slots / slots_per_worker);
    shape.daemon = values.daemon;
    shape.trial = is_trial();
    shape.seed = std::random_device()();
    core_.emplace(limits_with(values), shape, settled_);
    if (is_successor()) resume_workers();
    tell_strength();
    std::ranges::move(core_->start(clock_now()), std::back_inserter(pending_));
    return std::nullopt;
}

}  // namespace unicoro::master

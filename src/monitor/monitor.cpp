// SPDX-License-Identifier: MIT
#include "monitor/monitor.hpp"

#include "aio/take_signal.hpp"
#include "aio/task_group.hpp"
#include "aio/watched_duplicate.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "monitor/agent_check.hpp"
#include "monitor/status_host.hpp"
#include "os/lifeline.hpp"
#include "worker/accept_loop.hpp"
#include "worker/client_connection.hpp"
#include "worker/serving.hpp"
#include "worker/socket_stream.hpp"

#include <unicoro/sleep.hpp>

#include <boost/asio/basic_signal_set.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <list>
#include <vector>

namespace unicoro::monitor {
namespace {

using namespace std::chrono_literals;

// What is asked for here is small and answered at once: who takes longer is given up.
constexpr std::size_t most_connections = 64;
constexpr auto time_for_head = 5s;
constexpr auto time_for_rest = 10s;
constexpr auto time_between = 60s;

// From SIGTERM on, for what is being sent.
constexpr auto time_to_go = 300ms;

settings::server_settings own_settings(const settings::server_settings& of) {
    settings::server_settings own;
    own.workers = 1;
    own.worker_connections = most_connections;
    own.header_timeout = time_for_head;
    own.body_timeout = time_for_head;
    own.send_timeout = time_for_rest;
    own.request_timeout = time_for_rest;
    own.keepalive = time_between;
    own.policy.limit_request_body = 4096;
    own.forwarded_allow_ips.clear();
    own.proxy_allow_ips.clear();
    own.server_header = of.server_header;
    return own;
}

/// One monitor: its parts, and the order in which they end. Made of those of a worker; a slot of its own
/// stands for the one that the connections count in.
class process {
  public:
    process(const master::monitor_launch& how, const scoreboard::table& own_board);

    int run();

  private:
    void accept();
    void answer_balancers();
    void leave();
    awaitable<void> beat();
    awaitable<void> remember();
    awaitable<void> obey();
    awaitable<void> listen_to_master();
    awaitable<void> end_soon();

    const master::monitor_launch& how_;
    const settings::server_settings settings_;
    asio::io_context io_{1};
    asio::basic_signal_set<executor> signals_{io_};
    worker::serving shared_;
    worker::socket_streams streams_{shared_.io, shared_.deadlines};
    std::vector<os::listener> listeners_;
    observer eyes_;
    history past_;
    status_host host_;
    agent_check agent_;
    aio::task_group connections_{io_};
    aio::task_group own_{io_};
    aio::task_group agents_{io_};  // of `agent_`
    aio::task_group memory_{io_};  // what fills `past_`, until the end begins
    std::list<aio::task_group> acceptors_;
    int code_ = 0;
};

process::process(const master::monitor_launch& how, const scoreboard::table& own_board)
    : how_(how),
      settings_(own_settings(how.settings)),
      shared_(io_, settings_, own_board, 0),
      eyes_(how),
      past_(how.told),
      host_(how, eyes_, past_),
      agent_(io_, eyes_, how.settings.monitoring.ready_workers) {
    shared_.host = &host_;
    shared_.logs_access = false;
    for (const master::admin_socket& each : how.sockets) listeners_.push_back(each.socket);
    connections_.on_empty([this] {
        if (shared_.draining) io_.stop();
    });
}

void process::accept() {
    for (const os::listener& each : listeners_) {
        acceptors_.emplace_back(io_).spawn(
            "accept loop of " + each.address(), worker::accept_loop(shared_, each, streams_, connections_)
        );
        acceptors_.back().on_empty([this] {
            if (shared_.draining) return;
            log::critical("an accept loop has ended; the monitor cannot go on");
            code_ = 1;
            io_.stop();
        });
    }
}

void process::answer_balancers() {
    if (how_.agent_sockets.empty()) return;
    agents_.spawn("how busy the server is", agent_.measure());
    for (const master::admin_socket& each : how_.agent_sockets) {
        agents_.spawn("agent checks at " + each.socket.address(), agent_.serve(each.socket));
    }
}

void process::leave() {
    if (shared_.draining) return;
    shared_.draining = true;
    memory_.cancel_all();
    agents_.cancel_all();
    agent_.end();
    for (aio::task_group& each : acceptors_) each.cancel_all();
    connections_.for_each([](aio::task& each) { static_cast<worker::client_connection&>(each).drain(); });
    if (connections_.empty()) return io_.stop();
    own_.spawn("end", end_soon());
}

awaitable<void> process::end_soon() {
    co_await sleep_for(time_to_go);
    io_.stop();
}

awaitable<void> process::beat() {
    for (;;) {
        log::flush_waiting();
        co_await sleep_for(1s);
    }
}

awaitable<void> process::remember() {
    for (auto next = history::interval;; next += 1s) {
        const bool due = next >= history::interval;
        const picture& seen = due ? eyes_.look() : eyes_.glance();
        const scoreboard::monotonic_ns now = seen.now;
        past_.look(seen.seen, now);
        if (due) {
            past_.take(seen);
            next = 0s;
        }
        past_.look_at_requests(eyes_.requests(), now);
        co_await sleep_for(1s);
    }
}

awaitable<void> process::obey() {
    const auto [ec, number] = co_await signals_.async_wait(as_tuple);
    if (!ec) leave();
}

awaitable<void> process::listen_to_master() {
    aio::watched_duplicate line(io_);
    if (const error_code failed = line.open(how_.line_fd)) {
        log::error("the monitor cannot hear the master: {}", failed.message());
        co_return leave();
    }
    for (;;) {
        const auto [ec] = co_await line->async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
        if (ec) co_return;
        const std::optional<os::handed_file> come = os::take_file(line->native_handle());
        if (!come) break;
        if (!come->fd) continue;
        if (const auto slot = master::read_slot_name(come->name)) {
            eyes_.take_slot(*slot, come->fd.get());
        } else {
            log::take_over({come->name, come->fd.get()});
        }
    }
    leave();
}

int process::run() {
    aio::take_signal(signals_, SIGTERM);
    own_.spawn("signals", obey());
    own_.spawn("heartbeat", beat());
    own_.spawn("line to the master", listen_to_master());
    memory_.spawn("history", remember());
    accept();
    answer_balancers();
    io_.run();
    return code_;
}

}  // namespace

int run(const master::monitor_launch& how) {
    // Of the application's mount, which is not here.
    unsetenv("SCRIPT_NAME");
    // A terminal and a killer of process groups mean the server; what becomes of it the master says.
    for (const int each : {SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU}) {
        std::signal(each, SIG_IGN);
    }
    auto board = scoreboard::table::create(1, most_connections);
    if (!board || board->open(0, scoreboard::worker_state::ready)) {
        log::critical("The monitor has no memory");
        return 1;
    }
    // Never destroyed: coroutines that would not end refer to all of it, and the process ends here.
    auto* const own = new process(how, *new scoreboard::table(std::move(*board)));
    return own->run();
}

}  // namespace unicoro::monitor

// SPDX-License-Identifier: MIT
#include "worker/worker.hpp"

#include "aio/stray_child.hpp"
#include "aio/take_signal.hpp"
#include "aio/watched_duplicate.hpp"
#include "app/failed_host.hpp"
#include "app/worker_stage.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "master/encryption.hpp"
#include "os/descriptors.hpp"
#include "os/forks.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "worker/accept_loop.hpp"
#include "worker/client_connection.hpp"
#include "worker/client_streams.hpp"
#include "worker/code_watch.hpp"
#include "worker/descriptor_budget.hpp"
#include "worker/serving.hpp"
#include "worker/warm_up.hpp"
#include "worker/watches.hpp"

#include <unicoro/sleep.hpp>

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <list>
#include <optional>
#include <utility>

namespace unicoro::worker {
namespace {

using namespace std::chrono_literals;

/// One worker process: its parts, and the order in which they end.
class process {
  public:
    process(const master::worker_launch& how, const host_maker& make_host);

    int run();

  private:
    bool load();
    [[nodiscard]] bool cannot_serve(const std::string& cold);
    awaitable<void> boot();
    awaitable<void> beat();
    awaitable<void> obey_signals();
    awaitable<void> watch_master();
    awaitable<void> limit_drain();
    awaitable<void> end_soon();
    awaitable<void> watch_code();
    void announce(scoreboard::worker_state state);
    void drain();
    void abort();
    [[nodiscard]] bool may_take_waiting() const { return !acceptors_.empty() && !aborting_ && !given_up_; }
    [[nodiscard]] bool take_waiting();
    void take_last();
    void end_when_idle();
    void finish();
    awaitable<void> stop_host();

    const master::worker_launch& how_;
    const host_maker& make_host_;
    asio::io_context io_{1};
    asio::basic_signal_set<executor> signals_{io_};
    serving shared_;
    client_streams streams_{shared_, how_};
    aio::task_group connections_{io_};
    aio::task_group application_tasks_{io_};
    aio::task_group own_{io_};
    std::list<aio::task_group> acceptors_;
    app::worker_context context_;
    std::unique_ptr<app::host> host_;
    watches watches_;
    std::unique_ptr<code_watch> code_;
    int exit_code_ = 0;
    bool aborting_ = false;
    bool given_up_ = false;
    bool ending_ = false;
    bool serving_started_ = false;
    bool backlog_empty_ = false;
    bool last_taken_ = false;
};

process::process(const master::worker_launch& how, const host_maker& make_host)
    : how_(how),
      make_host_(make_host),
      shared_(io_, how.settings, how.board, how.slot),
      context_{
          io_,
          how.settings,
          how.slot,
          how.age,
          [this] { shared_.slot.heartbeat.store(scoreboard::monotonic_now()); },
          &application_tasks_
      } {
    shared_.rows = how.rows;
    context_.given_up = [this] {
        exit_code_ = 1;
        given_up_ = true;
        drain();
        own_.spawn("given up", end_soon());
    };
    shared_.on_request_limit = [this] {
        log::info("max_requests reached: asking for a replacement");
        announce(scoreboard::worker_state::retiring);
    };
    context_.listeners = how.listeners;
    connections_.on_empty([this] { end_when_idle(); });
    shared_.clients = &connections_;
}

void process::announce(scoreboard::worker_state state) {
    shared_.slot.state.store(state, std::memory_order_release);
    os::ring(how_.lifeline_fd);
}

bool process::load() {
    if (how_.settings.reload) code_ = std::make_unique<code_watch>();
    app::load_error error;
    host_ = make_host_(error);
    std::optional<app::load_error> failure;
    if (!host_) {
        failure = std::move(error);
    } else {
        failure = host_->load(context_);
    }
    if (!failure) return true;
    log::error("{}", failure->message);
    if (how_.settings.reload) {
        host_ = std::make_unique<app::failed_host>(std::move(host_), failure->message);
        return true;
    }
    exit_code_ = static_cast<int>(failure->code);
    return false;
}

awaitable<void> process::watch_code() {
    const std::string changed = co_await code_->changed(*host_);
    if (changed.empty()) co_return;
    log::info("Worker reloading: {} modified", changed);
    announce(scoreboard::worker_state::retiring);
}

awaitable<void> process::boot() {
    std::optional<app::load_error> failure = co_await host_->start(context_);
    if (failure) {
        log::error("{}", failure->message);
        exit_code_ = static_cast<int>(failure->code);
        io_.stop();
        co_return;
    }
    serving_started_ = true;
    // What was freed while the application was loaded went back before this.
    os::keep_freed_memory();
    const descriptor_budget budget{
        os::descriptor_limit(), os::open_descriptors(), descriptors_of_connection(how_.settings)
    };
    shared_.limit_connections(budget.connections());
    if (!shared_.draining && !host_->is_broken()) {
        const std::string cold = co_await warm_up(shared_, how_.listeners, streams_.plain(), connections_);
        if (!cold.empty() && cannot_serve(cold)) co_return;
    }
    if (shared_.draining) {
        end_when_idle();
        co_return;
    }
    for (const os::listener& each : how_.listeners) {
        acceptors_.emplace_back(io_).spawn(
            "accept loop of " + each.address(),
            accept_loop(shared_, each, streams_.of_clients(), connections_)
        );
    }
    for (aio::task_group& each : acceptors_) {
        each.on_empty([this] {
            if (shared_.draining) return;
            log::critical("an accept loop has ended; the worker cannot go on");
            exit_code_ = 1;
            io_.stop();
        });
    }
    watches_.begin(io_, how_, *host_, shared_);
    if (!host_->is_broken()) log::info("Worker ready: {}", host_->interface_name());
    announce(scoreboard::worker_state::ready);
    if (code_) own_.spawn("reload", watch_code());
}

// For development it serves all the same: what is wrong is to be seen.
bool process::cannot_serve(const std::string& cold) {
    log::error("Warm-up failed: {}", cold);
    if (how_.settings.reload) return false;
    exit_code_ = static_cast<int>(app::boot_failure::worker);
    drain();
    return true;
}

awaitable<void> process::beat() {
    const auto timeout = how_.settings.timeout;
    const auto interval = timeout.count() == 0 ? 1000ms : std::clamp(timeout / 4, 50ms, 1000ms);
    for (;;) {
        context_.heartbeat();
        shared_.heed_master();
        log::flush_waiting();
        const scoreboard::monotonic_ns before = scoreboard::monotonic_now();
        co_await sleep_for(interval);
        const std::chrono::nanoseconds took(scoreboard::monotonic_now() - before);
        shared_.count_beat(took - interval);
    }
}

awaitable<void> process::obey_signals() {
    for (const int each : {SIGTERM, SIGINT, SIGQUIT, SIGUSR1}) aio::take_signal(signals_, each);
    for (;;) {
        const auto [ec, number] = co_await signals_.async_wait(as_tuple);
        if (ec) co_return;
        if (number == SIGUSR1) {
            log::reopen();
            host_->logs_reopened();
        } else if (number == SIGUSR2) {
            tell_requests(shared_.in_flight);
        } else if (number == SIGTERM) {
            drain();
        } else {
            host_->interrupted();
            abort();
        }
    }
}

awaitable<void> process::watch_master() {
    aio::watched_duplicate lifeline(io_);
    if (const error_code failed = lifeline.open(how_.lifeline_fd)) {
        log::error("cannot watch the master: {}", failed.message());
        co_return;
    }
    for (;;) {
        const auto [ec] = co_await lifeline->async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
        if (ec) co_return;
        const std::optional<os::handed_file> come = os::take_file(lifeline->native_handle());
        if (!come) break;
        if (!come->fd) continue;
        if (come->name == master::certificates_name) {
            streams_.renew_certificates(come->fd.get());
            continue;
        }
        log::take_over({come->name, come->fd.get()});
        host_->logs_reopened();
    }
    log::warning("the master has died: finishing what runs, then ending");
    drain();
}

awaitable<void> process::limit_drain() {
    co_await sleep_for(how_.settings.graceful_timeout);
    log::warning(
        "graceful_timeout: ending with {} connections and {} requests unfinished",
        shared_.connections,
        shared_.slot.running.load(std::memory_order_relaxed)
    );
    abort();
}

// What was accepted before it knew may still be answered.
awaitable<void> process::end_soon() {
    co_await sleep_for(500ms);
    abort();
}

void process::drain() {
    if (shared_.draining) return;
    shared_.draining = true;
    app::now_draining();
    shared_.heed_master();
    context_.end_by = std::chrono::steady_clock::now() + how_.settings.graceful_timeout;
    announce(scoreboard::worker_state::draining);
    shared_.turn.take(false);
    for (aio::task_group& each : acceptors_) each.cancel_all();
    // One that ends at once leaves them to the others.
    if (may_take_waiting()) backlog_empty_ = take_waiting();
    connections_.for_each([](aio::task& each) { static_cast<client_connection&>(each).drain(); });
    own_.spawn("graceful_timeout", limit_drain());
    end_when_idle();
}

void process::abort() {
    if (aborting_) return;
    aborting_ = true;
    drain();
    context_.end_by = std::chrono::steady_clock::now();
    host_->cancelling();
    connections_.cancel_all();
    end_when_idle();
}

// Takes who waits in the backlog; true when nobody does any more.
bool process::take_waiting() {
    bool empty = true;
    for (const os::listener& each : how_.listeners) {
        if (!accept_backlog(shared_, each, streams_.of_clients(), connections_)) empty = false;
    }
    return empty;
}

// When the server stops, nobody else takes those for whom there was no room, or who came since the drain
// began. Of the latter once: who goes on coming must not keep it alive.
void process::take_last() {
    if (!stopping() || !may_take_waiting() || last_taken_) return;
    last_taken_ = backlog_empty_;
    backlog_empty_ = take_waiting();
}

void process::end_when_idle() {
    if (!shared_.draining || !connections_.empty() || ending_) return;
    // Those that have just ended take up room until the loop has freed them.
    if (shared_.connections > 0) return asio::post(io_, [this] { end_when_idle(); });
    take_last();
    if (!connections_.empty()) return;
    ending_ = true;
    finish();
}

void process::finish() {
    application_tasks_.cancel_all();
    own_.spawn("stop hook", stop_host());
}

awaitable<void> process::stop_host() {
    watches_.end(shared_);
    if (serving_started_) co_await host_->stop(context_);
    io_.stop();
}

int process::run() {
    context_.heartbeat();
    // What the application or its interpreter does at this signal comes before, and passes it on or not.
    aio::take_signal(signals_, SIGUSR2);
    if (!load()) return exit_code_;
    shared_.host = host_.get();
    watches::prepare(how_, *host_, shared_);
    own_.spawn("signals", obey_signals());
    own_.spawn("heartbeat", beat());
    own_.spawn("lifeline", watch_master());
    own_.spawn("boot", boot());
    host_->drive(io_);
    return exit_code_;
}

/// What a child of the application must not share with this process, besides what its owners withhold.
/// `before`: the descriptors that were open before the loop was made. Asio keeps its own to itself, and
/// its timers and events may be touched even in a child.
void withhold_from_children(const master::worker_launch& how, const std::vector<int>& before) {
    os::withhold_write_signals();
    aio::end_stray_children();
    const std::vector<int> now = os::descriptor_numbers();
    const std::vector<int> log_pipes = log::own_descriptors();
    os::fork_pause pause;
    pause.withhold(how.lifeline_fd);
    for (const int each : log_pipes) pause.withhold(each);
    for (const int each : now) {
        const bool made = !std::ranges::binary_search(before, each);
        if (made) pause.withhold(each, os::withheld_as::useless);
    }
}

}  // namespace

int run(const master::worker_launch& how, const host_maker& make_host) {
    const std::vector<int> before = os::descriptor_numbers();
    // Never destroyed: coroutines that would not end refer to all of it, and the process ends here.
    auto* const worker = new process(how, make_host);
    withhold_from_children(how, before);
    return worker->run();
}

}  // namespace unicoro::worker

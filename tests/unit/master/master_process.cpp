// SPDX-License-Identifier: MIT
#include "master_process.hpp"

#include "log/open.hpp"
#include "os/lifeline.hpp"

#include "support/doctest.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace unicoro::master::testing {
namespace {

using namespace std::chrono_literals;
using scoreboard::worker_state;

volatile std::sig_atomic_t asked_to_end = 0;

void note_signal(int) {
    asked_to_end = 1;
}

bool reap_if_ended(pid_t pid) {
    return waitpid(pid, nullptr, WNOHANG) == pid;
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        poll(nullptr, 0, 5);
    }
    return true;
}

bool is_alive(pid_t pid) {
    reap_if_ended(pid);  // orphans come to this process
    return kill(pid, 0) == 0;
}

master_process::master_process() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    settings::bind_address address;
    address.type = settings::bind_address::kind::unix_path;
    address.path = file("app.sock");
    settings.bind = {address};
    settings.app = "test:app";
    settings.workers = 2;
    settings.worker_connections = 8;
    settings.timeout = 1s;
    settings.graceful_timeout = 2s;
    settings.boot_timeout = 5s;
    settings.pidfile = file("pid");
}

master_process::~master_process() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    CHECK(eventually([this] { return workers().empty(); }));
}

options master_process::make_options() {
    options chosen;
    chosen.settings = std::make_shared<settings::server_settings>(settings);
    chosen.version = "1.2.3";
    chosen.guest = guest;
    chosen.entry = [this](const worker_launch& how) { return work(how); };
    chosen.reload = [this]() -> reload_outcome {
        if (!reload_error.empty()) return {nullptr, {reload_error}};
        return {std::make_shared<settings::server_settings>(reloaded), {}};
    };
    return chosen;
}

void master_process::start() {
    pid_ = fork();
    if (pid_ != 0) return;
    log::options logging;
    logging.errorlog = file("log");
    logging.loglevel = log::level::debug;
    if (log::open(logging)) _exit(98);
    _exit(run(make_options()).code);
}

int master_process::start_as_daemon() {
    return os::testing::in_child([this] {
        auto link = os::daemonise();
        if (!link) return 99;
        log::options logging;
        logging.errorlog = file("log");
        if (log::open(logging)) return 98;
        options chosen = make_options();
        chosen.daemon = &*link;
        return run(std::move(chosen)).code;
    });
}

int master_process::work(const worker_launch& how) const {
    if (std::filesystem::exists(file("broken"))) return 4;
    struct sigaction noting{};
    noting.sa_handler = note_signal;
    for (const int number : {SIGTERM, SIGQUIT, SIGINT}) sigaction(number, &noting, nullptr);
    scoreboard::worker_slot& slot = how.board.slot(how.slot);
    scoreboard::request_ledger ledger(how.board, how.slot);
    static_cast<void>(ledger.open("GET", "/slow", scoreboard::monotonic_now()));
    const std::string alive = file("worker." + std::to_string(getpid()));
    std::ofstream(alive) << how.listeners.size() << ' ' << how.listeners[0].text();
    const auto open_files = std::filesystem::directory_iterator("/proc/self/fd");
    std::ofstream(file("files." + std::to_string(getpid())))
        << std::distance(begin(open_files), end(open_files));
    slot.heartbeat.store(scoreboard::monotonic_now());
    slot.state.store(worker_state::ready);
    os::ring(how.lifeline_fd);
    bool hung = false;
    while (asked_to_end == 0) {
        pollfd lifeline{how.lifeline_fd, POLLIN, 0};
        if (poll(&lifeline, 1, 20) > 0) break;
        hung = hung || std::filesystem::exists(file("hang." + std::to_string(getpid())));
        if (!hung) slot.heartbeat.store(scoreboard::monotonic_now());
    }
    return 0;
}

void master_process::signal(int number) const {
    REQUIRE(kill(pid_, number) == 0);
}

int master_process::wait_end() {
    int status = 0;
    REQUIRE(eventually([this, &status] { return waitpid(pid_, &status, WNOHANG) == pid_; }));
    pid_ = 0;
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

std::vector<pid_t> master_process::workers() const {
    std::vector<pid_t> found;
    const auto folder = std::filesystem::path(file("log")).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("worker.")) continue;
        const pid_t pid = std::stoi(name.substr(7));
        if (is_alive(pid)) found.push_back(pid);
    }
    return found;
}

bool master_process::logged(const std::string& text) const {
    return log().find(text) != std::string::npos;
}

void master_process::order(const std::string& what) const {
    std::ofstream(file(what)) << what;
}

void master_process::withdraw(const std::string& what) const {
    std::filesystem::remove(file(what));
}

}  // namespace unicoro::master::testing

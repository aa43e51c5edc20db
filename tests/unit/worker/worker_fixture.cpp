// SPDX-License-Identifier: MIT
#include "unit/worker/worker_fixture.hpp"

#include "os/lifeline.hpp"
#include "os/process.hpp"

#include "support/doctest.hpp"
#include "unit/worker/test_host.hpp"
#include "worker/worker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

namespace worker_test {
namespace {

constexpr std::chrono::seconds patience{10};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

client::client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    const int connected = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    REQUIRE(connected == 0);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

client::~client() {
    close(fd_);
}

void client::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void client::end_sending() const {
    shutdown(fd_, SHUT_WR);
}

bool client::fill() {
    pollfd readable{fd_, POLLIN, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
    const int ready = poll(&readable, 1, static_cast<int>(limit));
    REQUIRE_MESSAGE(ready == 1, "no bytes within the deadline; so far: " << pending_);
    char bytes[65536];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) pending_.append(bytes, static_cast<std::size_t>(got));
    if (got < 0) pending_ += "[reset]";
    return got > 0;
}

std::string client::read_until(std::string_view end) {
    std::size_t at = pending_.find(end);
    while (at == std::string::npos) {
        REQUIRE_MESSAGE(fill(), "the connection ended before: " << end << "; got: " << pending_);
        at = pending_.find(end);
    }
    std::string taken = pending_.substr(0, at + end.size());
    pending_.erase(0, at + end.size());
    return taken;
}

std::string client::read_exactly(std::size_t count) {
    while (pending_.size() < count) REQUIRE(fill());
    std::string taken = pending_.substr(0, count);
    pending_.erase(0, count);
    return taken;
}

std::string client::read_response() {
    std::string head = read_until("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    REQUIRE_MESSAGE(at != std::string::npos, head);
    const std::size_t length = std::strtoul(head.c_str() + at + 16, nullptr, 10);
    return head + read_exactly(length);
}

std::string client::read_all() {
    while (fill()) {
    }
    return std::exchange(pending_, {});
}

bool client::silent_for(std::chrono::milliseconds time) {
    if (!pending_.empty()) return false;
    pollfd readable{fd_, POLLIN, 0};
    return poll(&readable, 1, static_cast<int>(time.count())) == 0;
}

worker_process::worker_process(const std::function<void(unicoro::settings::server_settings&)>& change)
    : board_(unicoro::scoreboard::table::create(1, 64).value()) {
    unicoro::settings::server_settings values;
    values.loglevel = unicoro::settings::log_level::error;
    if (change) change(values);

    auto listener = unicoro::os::listen_tcp({.host = "127.0.0.1", .backlog = 64});
    REQUIRE(listener.has_value());
    listener_ = std::move(*listener);

    REQUIRE_FALSE(board_.open(0, unicoro::scoreboard::worker_state::booting));
    auto lifeline = unicoro::os::make_lifeline();
    REQUIRE(lifeline.has_value());
    pid_ = unicoro::os::fork_process().value();
    if (pid_ == 0) {
        lifeline->master_end.reset();
        _exit(run_child(values, lifeline->worker_end.get()));
    }
    lifeline_ = std::move(lifeline->master_end);
    const bool ready =
        eventually([&] { return slot().state.load() == unicoro::scoreboard::worker_state::ready; });
    REQUIRE(ready);
}

worker_process::~worker_process() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
}

int worker_process::run_child(const unicoro::settings::server_settings& values, int lifeline) const {
    // Twice, as two addresses would be: both accept loops wait for room at the same time.
    const std::array listeners{*listener_, *listener_};
    const unicoro::master::worker_launch how{0, 1, listeners, board_, lifeline, values};
    return unicoro::worker::run(how, [](unicoro::app::load_error&) { return std::make_unique<test_host>(); });
}

std::chrono::milliseconds worker_process::cpu_time() const {
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string text;
    std::getline(stat, text);
    // Behind the name, which may hold anything: 11 fields, then utime and stime in ticks (proc(5)).
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

void worker_process::signal(int number) const {
    kill(pid_, number);
}

int worker_process::wait_for_exit() {
    // The master lets go of its listener first; a connection must not hang in our copy.
    int status = 0;
    const bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void worker_process::cut_lifeline() {
    lifeline_.reset();
}

}  // namespace worker_test

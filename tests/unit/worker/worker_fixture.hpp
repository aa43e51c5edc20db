// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "os/listener.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/settings.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace worker_test {

using namespace std::chrono_literals;

/// A blocking client socket on loopback. Every read has a deadline; running into it fails the test.
class client {
  public:
    explicit client(std::uint16_t port);
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client();

    void send(std::string_view bytes) const;
    /// Ends our side (FIN), reading goes on.
    void end_sending() const;

    /// Reads up to and including `end`.
    std::string read_until(std::string_view end);
    /// Reads `count` bytes.
    std::string read_exactly(std::size_t count);
    /// Reads one response with Content-Length: head and body.
    std::string read_response();
    /// Reads to the end of file; a reset counts as an end and adds "[reset]".
    std::string read_all();
    /// True when nothing arrives for `time`.
    bool silent_for(std::chrono::milliseconds time);

  private:
    bool fill();

    int fd_;
    std::string pending_;
};

/// A worker process with a test host in it, serving a loopback port; killed with the object.
class worker_process {
  public:
    explicit worker_process(const std::function<void(unicoro::settings::server_settings&)>& change = {});
    worker_process(const worker_process&) = delete;
    worker_process& operator=(const worker_process&) = delete;
    ~worker_process();

    [[nodiscard]] std::uint16_t port() const noexcept { return listener_->port(); }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] unicoro::scoreboard::worker_slot& slot() const { return board_.slot(0); }
    [[nodiscard]] const unicoro::scoreboard::table& board() const { return board_; }

    /// User and system time it has used.
    [[nodiscard]] std::chrono::milliseconds cpu_time() const;

    void signal(int number) const;
    /// The exit code, or -1 when it does not end within ten seconds.
    int wait_for_exit();
    /// Closes the master's end of the lifeline, as its death would.
    void cut_lifeline();

  private:
    int run_child(const unicoro::settings::server_settings& values, int lifeline) const;

    unicoro::scoreboard::table board_;
    std::optional<unicoro::os::listener> listener_;
    unicoro::os::unique_fd lifeline_;
    pid_t pid_ = -1;
};

/// Polls until true or ten seconds have passed.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

}  // namespace worker_test

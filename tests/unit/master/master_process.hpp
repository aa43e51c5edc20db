// SPDX-License-Identifier: MIT
#pragma once

#include "master/master.hpp"

#include "support/os_fixtures.hpp"

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace unicoro::master::testing {

/// A real master in a child process, with tiny workers that follow orders given as files:
/// "hang" = the workers of this moment stop their heartbeat, "broken" = new workers exit with 4.
class master_process {
  public:
    master_process();
    ~master_process();
    master_process(const master_process&) = delete;
    master_process& operator=(const master_process&) = delete;

    /// Settings with short time limits and one unix socket; change them before `start`.
    settings::server_settings settings;

    /// What HUP reads; refused with this text when `reload_error` is not empty.
    settings::server_settings reloaded;
    std::string reload_error;

    /// What lives in the master beside it.
    companion* guest = nullptr;

    void start();

    /// As `--daemon`: returns the exit code of the command that started it.
    [[nodiscard]] int start_as_daemon();

    void signal(int number) const;

    /// The master's exit code; fails the test when it does not end in time.
    [[nodiscard]] int wait_end();

    /// The pids of the workers that have become ready and still run.
    [[nodiscard]] std::vector<pid_t> workers() const;

    [[nodiscard]] std::string file(const std::string& name) const { return dir_.file(name); }
    [[nodiscard]] std::string log() const { return os::testing::content_of(file("log")); }
    [[nodiscard]] bool logged(const std::string& text) const;
    [[nodiscard]] pid_t pid() const { return pid_; }

    void order(const std::string& what) const;
    void withdraw(const std::string& what) const;

  private:
    [[nodiscard]] options make_options();
    [[nodiscard]] int work(const worker_launch& how) const;

    os::testing::temp_dir dir_;
    pid_t pid_ = 0;
};

/// Looks every few milliseconds until the condition holds; false after ten seconds.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

[[nodiscard]] bool is_alive(pid_t pid);

}  // namespace unicoro::master::testing

// SPDX-License-Identifier: MIT
#pragma once

#include "app/master_guest.hpp"
#include "python/host/python_home.hpp"
#include "settings/settings.hpp"

#include <memory>
#include <span>
#include <string>
#include <utility>

namespace unicoro::python {

/// The interpreter in the master: workers are forked with it, and some hooks run there; and in a process made
/// from it, which preload_app loads the application in.
class master_python final : public app::master_guest {
  public:
    master_python(const settings::server_settings& values, std::string executable)
        : values_(values), home_(std::make_shared<python_home>(std::move(executable))) {}

    [[nodiscard]] std::optional<app::load_error> start(std::span<const os::listener> sockets) override;
    void before_fork(std::uint64_t age) override;
    void forked(pid_t pid) override;
    void adopted(std::uint64_t age, pid_t pid) override;
    [[nodiscard]] bool preloads(const settings::server_settings& values) override;
    [[nodiscard]] std::optional<app::load_error> preload(
        const settings::server_settings& values, std::span<const os::listener> sockets
    ) override;
    void unload() override;
    [[nodiscard]] std::unique_ptr<app::host> make_host() override;
    void when_ready() override;
    void adopt(const settings::server_settings& values) override;
    void reopened_logs() override;
    void reloaded(std::span<const os::listener> sockets) override;
    void upgrading() override;
    void worker_ended(pid_t pid, int status) override;
    void workers_changed(int number, int before) override;
    void ending() override;

  private:
    settings::server_settings values_;
    std::shared_ptr<python_home> home_;
};

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"

#include <memory>
#include <string>
#include <vector>

namespace unicoro::app {

/// Several applications by path prefix (the setting `apps`): each native one has a host of its own,
/// those in Python share one, which also drives the loop.
class mounted_host final : public host {
  public:
    /// `serves` are places in `apps`.
    void add(std::unique_ptr<host> part, const std::vector<std::size_t>& serves);
    /// The same, and this one drives.
    void add_driver(std::unique_ptr<host> part, const std::vector<std::size_t>& serves);

    [[nodiscard]] std::string_view interface_name() const noexcept override;
    [[nodiscard]] std::optional<load_error> load(worker_context& context) override;
    awaitable<std::optional<load_error>> start(worker_context& context) override;
    awaitable<void> handle(exchange& request) override;
    awaitable<void> stop(worker_context& context) override;
    void drive(boost::asio::io_context& io) override;
    bool holds_loop() const noexcept override;
    std::size_t places() const noexcept override;
    std::string stack_of_loop() override;
    [[nodiscard]] std::chrono::nanoseconds waited_for_interpreter() const noexcept override;
    bool shows_code() const noexcept override;
    std::vector<code_seen> look_at_code(const gather_places& gather) override;
    bool runs_native_code() const noexcept override;
    bool accepts_websockets() const noexcept override;
    void interrupted() override;
    void cancelling() override;
    [[nodiscard]] std::vector<std::string> code_files() override;
    void logs_reopened() override;

  private:
    std::vector<std::unique_ptr<host>> parts_;
    std::vector<host*> by_application_;
    host* driver_ = nullptr;
    mutable std::string interfaces_;
};

}  // namespace unicoro::app

// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"

namespace worker_test {

/// An application that does what the path says: see test_host.cpp.
class test_host final : public unicoro::app::host {
  public:
    std::string_view interface_name() const noexcept override { return "test"; }
    std::optional<unicoro::app::load_error> load(unicoro::app::worker_context&) override;
    unicoro::awaitable<std::optional<unicoro::app::load_error>> start(unicoro::app::worker_context&) override;
    unicoro::awaitable<void> handle(unicoro::app::exchange& request) override;
    unicoro::awaitable<void> stop(unicoro::app::worker_context&) override;

  private:
    unicoro::awaitable<void> echo(unicoro::app::exchange& request);
    unicoro::awaitable<void> talk(unicoro::app::exchange& request);
    unicoro::awaitable<void> stream(unicoro::app::exchange& request);
};

}  // namespace worker_test

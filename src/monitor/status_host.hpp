// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "monitor/history.hpp"
#include "monitor/picture.hpp"
#include "monitor/stacks.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace unicoro::monitor {

/// Answers what is asked of the monitor (docs/monitoring.md). Nothing here waits: each answer is made at
/// once, of what there is to be read. The stacks alone are the workers' to tell: whoever asks for them waits,
/// a second and a half at most, and nobody else.
class status_host final : public app::host {
  public:
    /// All of them outlive it.
    status_host(const master::monitor_launch& how, observer& eyes, const history& past);

    [[nodiscard]] std::string_view interface_name() const noexcept override { return "monitor"; }
    [[nodiscard]] std::optional<app::load_error> load(app::worker_context& context) override;
    awaitable<std::optional<app::load_error>> start(app::worker_context& context) override;
    awaitable<void> handle(app::exchange& request) override;
    awaitable<void> stop(app::worker_context& context) override;

  private:
    enum class next_step : std::uint8_t { none, stacks };

    [[nodiscard]] next_step answer(app::exchange& request);
    [[nodiscard]] bool is_guarded(const app::connection_info& connection) const;
    bool refuses(app::exchange& request) const;
    void tell_life(app::exchange& request);
    void tell_readiness(app::exchange& request);
    void tell_metrics(app::exchange& request);
    void tell_status(app::exchange& request);
    void tell_requests(app::exchange& request);
    void tell_history(app::exchange& request);
    awaitable<void> tell_stacks(app::exchange& request);
    void show_page(app::exchange& request);

    const master::monitor_launch& how_;
    observer& eyes_;
    const history& past_;
    stack_asker stacks_;
    const pid_t master_;
};

}  // namespace unicoro::monitor

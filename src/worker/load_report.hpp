// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/scoreboard.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::worker {

/// What balancers that speak ORCA (Open Request Cost Aggregation, as Envoy and gRPC) are told of the server
/// in a response, as this worker can know it: that it is one of so many that do the same. Worker only.
class load_report {
  public:
    static constexpr std::string_view asking_field = "endpoint-load-metrics-format";
    static constexpr std::string_view field = "endpoint-load-metrics";

    enum class format : std::uint8_t { text, json };
    /// Of a request's `asking_field`; nothing for others than these two, in any case.
    [[nodiscard]] static std::optional<format> format_named(std::string_view name) noexcept;

    /// `slot` outlives it.
    load_report(const scoreboard::worker_slot& slot, int workers);

    /// The value of `field`.
    [[nodiscard]] std::string text(format wanted, scoreboard::monotonic_ns now);

  private:
    struct sample {
        scoreboard::monotonic_ns when = 0;
        std::chrono::nanoseconds cpu{};
        std::uint64_t requests = 0;
        std::uint64_t failures = 0;
    };

    [[nodiscard]] sample look(scoreboard::monotonic_ns now) const noexcept;
    void measure(scoreboard::monotonic_ns now) noexcept;

    const scoreboard::worker_slot& slot_;
    const double workers_;
    const double cpus_;
    sample last_;
    double cpu_ = 0;       // of those that there are
    double requests_ = 0;  // a second
    double failures_ = 0;  // the same
};

}  // namespace unicoro::worker

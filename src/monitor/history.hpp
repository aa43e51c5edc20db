// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/picture.hpp"
#include "monitor/quantile.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace unicoro::monitor {

/// What is kept of a moment: counts as they were then, and what there was.
struct sample {
    scoreboard::monotonic_ns when = 0;
    std::array<std::uint64_t, scoreboard::status_classes> requests{};
    histogram duration{};
    histogram queue{};
    histogram loop_lag{};
    std::uint64_t shed = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    double cpu = 0;  ///< seconds
    std::uint64_t memory = 0;
    std::uint64_t running = 0;
    std::uint64_t queued = 0;
    std::uint64_t connections = 0;
    std::uint64_t websockets = 0;
    std::uint64_t serving = 0;  ///< workers
    double silent = 0;          ///< seconds, of the worker that is silent the longest
};

/// A worker that is there no more.
struct gone_worker {
    std::size_t slot = 0;
    scoreboard::slot_facts facts;
    scoreboard::monotonic_ns missed = 0;  ///< when it was first not seen
};

/// Something that the master has counted, when it was noticed.
struct incident {
    scoreboard::monotonic_ns when = 0;
    scoreboard::happening what{};
    std::optional<gone_worker> worker;  ///< of an end; nothing where it could be one or another
};

/// A request that was seen to run for long, and is there no more.
struct slow_request {
    scoreboard::monotonic_ns when = 0;
    request_view last;  ///< as it was last seen, up to a second before
};

/// The last quarter of an hour, in memory of its own: less than 100 KiB of samples, and as much of the rest.
/// Who has it calls `look` and `look_at_requests` about once a second and `take` every `interval`.
class history {
  public:
    static constexpr std::chrono::seconds interval{5};
    static constexpr std::chrono::seconds kept{15 * 60};
    static constexpr std::chrono::seconds slow{1};  ///< requests that take longer are remembered
    static constexpr std::size_t most_samples = kept / interval + 1;
    static constexpr std::size_t most_incidents = 128;
    static constexpr std::size_t most_slow_requests = 64;
    static constexpr std::size_t most_watched = 256;  ///< slow requests that still run

    /// `told`: what had been counted when it begins.
    explicit history(const scoreboard::happening_counts& told) : happened_(told) {}

    /// Notices what has been counted since the last look.
    void look(const scoreboard::sight& seen, scoreboard::monotonic_ns now);
    void look_at_requests(const requests_view& running, scoreboard::monotonic_ns now);
    void take(const picture& of);

    [[nodiscard]] const std::deque<sample>& samples() const noexcept { return samples_; }
    [[nodiscard]] const std::deque<incident>& incidents() const noexcept { return incidents_; }
    [[nodiscard]] const std::deque<slow_request>& slow_requests() const noexcept { return slow_; }

  private:
    void look_for_gone(const std::vector<scoreboard::counted_worker>& workers, scoreboard::monotonic_ns now);
    void note_ends(const scoreboard::happening_counts& more, scoreboard::monotonic_ns now);
    void note(const incident& what);

    std::deque<sample> samples_;
    std::deque<incident> incidents_;
    std::deque<slow_request> slow_;
    std::vector<request_view> watched_;
    std::vector<gone_worker> gone_;  // since the last look or the one before
    std::vector<scoreboard::counted_worker> workers_;
    scoreboard::happening_counts happened_;
    scoreboard::monotonic_ns last_look_ = 0;
};

}  // namespace unicoro::monitor

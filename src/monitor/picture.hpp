// SPDX-License-Identifier: MIT
#pragma once

#include "master/monitor_launch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::monitor {

/// A worker as it is at the moment.
struct worker_view {
    scoreboard::counted_worker counted;
    std::uint32_t connections = 0;
    std::uint32_t running = 0;  ///< requests, those that wait included
    std::uint32_t queued = 0;
    std::uint32_t websockets = 0;
    std::optional<double> silent;         ///< seconds since its last sign of life
    std::optional<double> cpu;            ///< seconds used since it was started; none = not shown
    std::optional<std::uint64_t> memory;  ///< bytes, resident and in swap, shared pages in full
};

/// Everything there is to tell at one moment.
struct picture {
    scoreboard::sight seen;
    std::vector<worker_view> workers;
    scoreboard::monotonic_ns now = 0;
    double cpu = 0;  ///< seconds, of all workers there ever were; never less than before

    /// Workers that take requests.
    [[nodiscard]] std::size_t serving() const noexcept;
    /// With fewer than `needed` of them it is not ready, nor once it was told to stop.
    [[nodiscard]] bool is_ready(int needed) const noexcept;
};

/// Requests that run in the workers that take some, and how many could.
struct occupancy {
    std::uint64_t busy = 0;  ///< `places` at most
    std::uint64_t places = 0;
};

/// A request in flight.
struct request_view {
    std::size_t slot = 0;
    pid_t pid = 0;
    std::uint64_t number = 0;  ///< of the worker, as slot_facts::age
    double age = 0;            ///< seconds
    scoreboard::running_request request;

    /// No other request has it, as long as the server lives.
    [[nodiscard]] std::string id() const;
};

struct requests_view {
    std::vector<request_view> listed;  ///< the longest first
    std::size_t unlisted = 0;
};

/// What a program that tells of the server looks at: the tally, the slots of the workers, /proc.
class observer {
  public:
    explicit observer(const master::monitor_launch& how);

    /// A worker has come, whose slot this is.
    void take_slot(const master::named_slot& which, int memory);

    /// Never fails: of a tally that cannot be read now, it is the last that could.
    [[nodiscard]] const picture& look();

    /// The same without `workers` and what is in /proc.
    [[nodiscard]] const picture& glance();

    [[nodiscard]] requests_view requests();

    /// Of what `glance` has seen last.
    [[nodiscard]] occupancy occupied() const noexcept;

    /// Asks all workers for the stacks of their requests: the number of the question.
    [[nodiscard]] std::uint32_t ask_for_stacks();
    /// Whether this one can answer: its memory is seen, and it has somebody for that.
    [[nodiscard]] bool answers(const scoreboard::counted_worker& worker) const noexcept;
    /// Nothing while there is no answer to the question, or a later one.
    [[nodiscard]] std::optional<std::string> stacks_of(
        const scoreboard::counted_worker& worker, std::uint32_t question
    ) const;

  private:
    [[nodiscard]] bool sees_slot(const scoreboard::counted_worker& worker) const noexcept;
    [[nodiscard]] worker_view view_of(const scoreboard::counted_worker& worker) const;

    const master::monitor_launch& how_;
    std::vector<std::uint64_t> ages_;  // whose memory is in each slot
    picture last_;
};

}  // namespace unicoro::monitor

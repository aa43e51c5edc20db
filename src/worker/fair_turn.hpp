// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/load_board.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace unicoro::worker {

/// Deals connections out evenly among workers that wait on one socket: who has more than the least loaded
/// lets it go first, for a moment. What siblings say is a hint: who does not come while it is waited for is
/// soon not waited for any more until it has shown itself, and there is an end to waiting in vain.
class fair_turn {
  public:
    using clock = std::chrono::steady_clock;

    /// How long a connection may wait for a sibling to take it.
    static constexpr std::chrono::microseconds longest_wait{2000};

    /// The same where this worker is full: a connection of its own would have to go.
    static constexpr std::chrono::milliseconds longest_wait_for_room{10};

    /// How often a sibling that shows nothing is waited for: it may only have had no turn on the CPU.
    static constexpr unsigned most_chances = 2;

    /// How many waits in vain there may be in a row, and how soon another one after that.
    static constexpr unsigned most_patience = 8;
    static constexpr std::chrono::milliseconds patience_returns{10};

    /// How often a small difference counts. Under many short connections there always is one, and each wait
    /// costs a timer.
    static constexpr std::chrono::milliseconds between_small_ones{10};

    /// A sibling that may go first.
    struct sibling {
        std::size_t slot;
        std::uint32_t looks;
    };

    fair_turn(scoreboard::load_board board, std::size_t slot) : board_(board), slot_(slot) {}

    /// Tells the siblings how many connections are open here.
    void count(std::size_t connections) noexcept;

    /// Tells them whether this worker takes more.
    void take(bool takes) noexcept;

    /// There may be a connection to take: whom to wait for before that, if anybody. No longer than
    /// `longest_wait`; then `waited`, and the connection is taken if it is still there.
    [[nodiscard]] std::optional<sibling> look(clock::time_point now);

    /// This worker is full: who may take the connection instead, if anybody. No longer than
    /// `longest_wait_for_room`; then `waited`, and this again.
    [[nodiscard]] std::optional<sibling> with_room() const;

    /// The wait for it is over.
    void waited(const sibling& awaited, clock::time_point now);

  private:
    struct absence {
        std::uint32_t looks = 0;
        unsigned missed = 0;  // at these looks
    };

    [[nodiscard]] bool may_come(std::size_t slot, const scoreboard::load& told) const;
    [[nodiscard]] bool counts(std::uint32_t fewest, clock::time_point now);
    void regain_patience(clock::time_point now);

    scoreboard::load_board board_;
    std::size_t slot_;
    scoreboard::load own_;
    std::vector<absence> absences_;  // by slot, as far as anybody was missed
    unsigned patience_ = most_patience;
    clock::time_point regained_ = clock::time_point::min();
    clock::time_point next_small_one_ = clock::time_point::min();
};

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "scoreboard/scoreboard.hpp"

#include <cstddef>
#include <memory>

namespace unicoro::worker {

struct serving;

/// Answers the monitor's question for stacks (scoreboard::stack_question): of each request that is in the
/// application's code, where. A thread of its own does, which the loop never waits for and which does not
/// wait for the loop, only until the interpreter lets it in: so it answers also while the loop is held by a
/// sleep or by code that computes. Code that has the interpreter and keeps it is not seen.
class stack_teller {
  public:
    /// On the loop's thread, as its end. All of them live as long as the process; `shared.watched` is there.
    /// Throws std::system_error where there can be no thread.
    stack_teller(const scoreboard::table& board, std::size_t slot, app::host& host, const serving& shared);
    stack_teller(const stack_teller&) = delete;
    stack_teller& operator=(const stack_teller&) = delete;
    /// Begins no other look; one that goes on may outlast it.
    ~stack_teller();

  private:
    struct state;

    static void answer(const std::shared_ptr<state>& shared);

    std::shared_ptr<state> shared_;
};

}  // namespace unicoro::worker

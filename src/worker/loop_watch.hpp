// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "scoreboard/scoreboard.hpp"
#include "worker/loop_stack.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace unicoro::worker {

/// Warns when one callback holds the event loop for longer than a limit (blocked_loop_warning): every
/// half of it a thread of its own asks the loop for a sign of life. Once for each time the loop is
/// held, with the requests that run and the stack of what holds it.
class loop_watch {
  public:
    /// On the loop's thread. All of them live as long as the process.
    loop_watch(
        asio::io_context& io,
        std::shared_ptr<loop_stack> held,
        const scoreboard::table& board,
        std::size_t slot,
        std::chrono::milliseconds limit
    );
    loop_watch(const loop_watch&) = delete;
    loop_watch& operator=(const loop_watch&) = delete;
    ~loop_watch();

  private:
    struct state;

    static void watch(const std::shared_ptr<state>& shared, asio::io_context& io);

    std::shared_ptr<state> shared_;
};

}  // namespace unicoro::worker

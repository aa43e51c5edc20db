// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "aio/deadline.hpp"
#include "aio/task_group.hpp"
#include "base/unique_fd.hpp"
#include "monitor/busy_share.hpp"
#include "monitor/picture.hpp"
#include "os/listener.hpp"

#include <unicoro/awaitable.hpp>

#include <string>

namespace unicoro::monitor {

/// What HAProxy is told of the server (its configuration manual, "agent-check"), with the newline.
[[nodiscard]] std::string agent_words(const picture& of, int ready_workers, int free_percent);

/// Answers HAProxy's agent checks: who connects gets one line, whatever it sends. Its coroutines belong to
/// the monitor's groups; those that wait for a client to go, to one of its own, which `end` ends.
class agent_check {
  public:
    /// The first two outlive it.
    agent_check(asio::io_context& io, observer& eyes, int ready_workers);

    /// Answers those who come there, until it is cancelled.
    [[nodiscard]] awaitable<void> serve(os::listener at);
    /// Looks how busy the server is, until it is cancelled.
    [[nodiscard]] awaitable<void> measure();

    void end() { leaving_.cancel_all(); }

  private:
    void answer(base::unique_fd client);
    [[nodiscard]] awaitable<void> let_go(base::unique_fd client);

    asio::io_context& io_;
    observer& eyes_;
    const int ready_workers_;
    busy_share share_;
    aio::deadline_service deadlines_;
    aio::deadline_queue& patience_;
    aio::task_group leaving_;
};

}  // namespace unicoro::monitor

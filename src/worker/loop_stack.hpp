// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "os/thread_stack.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace unicoro::worker {

/// Looks at what holds the loop, from other threads: its stack as the host tells it, or that of native code.
/// One in a process.
class loop_stack {
  public:
    /// On the loop's thread. `host` outlives it.
    explicit loop_stack(app::host& host);

    /// Empty when it cannot be told. `still_held` is asked when the stack is there: one that came late would
    /// show what has nothing to do with it. May wait until the loop's thread lets others into Python.
    [[nodiscard]] std::string take(const std::function<bool()>& still_held);

  private:
    app::host& host_;
    std::mutex one_at_a_time_;
    std::optional<os::thread_stack> native_;
};

}  // namespace unicoro::worker

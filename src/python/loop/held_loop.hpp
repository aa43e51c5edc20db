// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>

namespace unicoro::python {

/// Application code that runs in the loop's own thread (-k sync) and holds it. Nothing of the worker moves
/// meanwhile, so what ends a worker (ABRT of `timeout`, INT, QUIT, graceful_timeout after TERM) is taken to
/// it: CallEnded is raised in that code, for its `finally` and for what watches it. One per process.
class held_loop {
  public:
    /// The code of a request holds the loop while this lives.
    class call {
      public:
        call() noexcept;
        call(const call&) = delete;
        call& operator=(const call&) = delete;
        ~call();
    };

    /// From now on. In a worker that serves, on its main thread, which is the loop's, with the GIL. All but
    /// ABRT also go to who takes them now. Returns a descriptor, not the caller's to close, that is readable
    /// once ABRT came; nothing with a Python exception set.
    [[nodiscard]] static std::optional<int> watch(std::chrono::milliseconds graceful_timeout);

    /// ABRT came and the loop is free: it ends the worker itself. With the GIL; runs the hook worker_abort.
    static void settle();

    enum class ending { none, aborted, stopped };
    /// Did one of them come? Then no call may begin any more.
    [[nodiscard]] static ending ends() noexcept;

    /// TERM came, which the loop learns of when it gets its turn.
    [[nodiscard]] static bool drains() noexcept;

    /// Where that code, or another thread beside it, waits outside of Python: shall it give up? Lets signals
    /// raise what they do, so that a Python exception may be set. With the GIL or without.
    [[nodiscard]] static bool interrupted();
};

}  // namespace unicoro::python

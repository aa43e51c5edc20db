// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/gil.hpp"
#include "python/runtime/py_ref.hpp"

#include <optional>
#include <string>
#include <vector>

namespace unicoro::python {

/// The process's one Python interpreter. Started on the worker's thread after the fork, and left by
/// it while the event loop runs: Python is entered through `gil_lock` only, so that threads of the
/// application run while the loop waits.
class interpreter {
  public:
    struct options {
        std::string executable;               ///< of the interpreter or venv to be; absolute
        std::vector<std::string> arguments;   ///< sys.argv; empty = the server's name alone
        std::vector<std::string> pythonpath;  ///< before the working directory in sys.path
        int crash_fd = 2;                     ///< stacks of a dying process go there
    };

    /// Starts Python; the GIL is free afterwards. Returns why it could not. Called once.
    [[nodiscard]] static std::optional<std::string> start(const options& chosen);

    /// Ends Python as at the end of a program: waits for its threads, runs atexit. Every py_ref
    /// must be gone. Does nothing when Python does not run.
    static void stop() noexcept;

    /// The same where threads of the server are still in the application: nothing of Python's is freed,
    /// and it is this thread's until the process ends, which should be soon.
    static void stop_beside_threads() noexcept;

    [[nodiscard]] static bool running() noexcept;

    /// True in a process that the application forked off: it must never act as the server.
    [[nodiscard]] static bool forked_away() noexcept;

    /// Ends such a process as Python ends a program, by the exception that is set. One that has simply
    /// come back is told of in the log.
    [[noreturn]] static void leave_forked() noexcept;
};

}  // namespace unicoro::python

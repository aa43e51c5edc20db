// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::python {

/// The Python that this process is. It runs before the server begins in it and ends after that. In between
/// the server's thread is outside of it and enters through `gil_lock` only, so that threads of the
/// application run while the loop waits.
class interpreter {
  public:
    /// The server begins: Python's ways with signals and forks become the server's, and the GIL is free
    /// afterwards. Once, with the GIL and the package installed. False with a Python exception set.
    [[nodiscard]] static bool begin();

    /// The server's part in it is over: its thread is inside again and stays there until Python ends as
    /// at the end of any program, and nothing of the package is called any more. Every py_ref must be gone,
    /// except what functions that run at the end may still use. Does nothing when that was done.
    static void leave() noexcept;
    /// The same where threads of the server are still in the application: what of the end concerns that
    /// happens now. Nothing of Python's may be freed: the process must end at once.
    static void leave_beside_threads() noexcept;

    /// Between `begin` and `leave`.
    [[nodiscard]] static bool running() noexcept;
    /// After `leave`.
    [[nodiscard]] static bool may_end() noexcept;

    /// True in a process that the application forked off: it must never act as the server.
    [[nodiscard]] static bool forked_away() noexcept;

    /// Ends such a process as Python ends a program, by the exception that is set. One that has simply
    /// come back is told of in the log.
    [[noreturn]] static void leave_forked() noexcept;
};

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <chrono>

namespace unicoro::python {

/// Holds the GIL while it lives. Nested ones on a thread cost nothing. Must not live across a
/// suspension of a coroutine or a switch of greenlets. For threads that have called `gil_parking`.
class gil_lock {
  public:
    gil_lock() noexcept;
    gil_lock(const gil_lock&) = delete;
    gil_lock& operator=(const gil_lock&) = delete;
    ~gil_lock();

  private:
    bool outermost_;
};

/// The same for threads that Python need not know. One that comes while the interpreter ends stays until the
/// process does.
class gil_visit {
  public:
    gil_visit() noexcept;
    gil_visit(const gil_visit&) = delete;
    gil_visit& operator=(const gil_visit&) = delete;
    ~gil_visit();

  private:
    PyGILState_STATE entered_;
};

/// The opposite: lets other threads into Python while it lives. Nested in a part that is outside
/// Python already it does nothing.
class gil_release {
  public:
    gil_release() noexcept;
    gil_release(const gil_release&) = delete;
    gil_release& operator=(const gil_release&) = delete;
    ~gil_release();

  private:
    bool outermost_;
};

/// The state of a thread with regard to Python: null while it holds the GIL, else what it resumes
/// with. Each thread has its own.
namespace gil_parking {
/// Leaves Python for good, or until `enter`. With the GIL.
void leave() noexcept;
/// Enters Python for good, or until `leave`. Without the GIL.
void enter() noexcept;
/// What this thread has waited in `enter` so far.
[[nodiscard]] std::chrono::nanoseconds waited() noexcept;
}  // namespace gil_parking

}  // namespace unicoro::python

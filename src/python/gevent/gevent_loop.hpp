// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::python {

class shared_reactor;

/// What the server does in gevent's hub.
class hub_turn {
  public:
    /// Called in the hub greenlet in every turn of the loop, after `shared_reactor::wait` has
    /// returned: no frame of Asio is on the stack, so this may switch greenlets. With the GIL.
    /// Errors of Python are its own business: none may be set when it returns.
    virtual void run() = 0;

  protected:
    ~hub_turn() = default;
};

/// gevent's loop class that runs on a shared_reactor: the module `_unicoro_gevent`. One thread, the
/// worker's, calls these, with the GIL.
namespace gevent_loop {

enum class choice {
    ours,    ///< gevent is configured to use it
    users,   ///< GEVENT_LOOP names another one, which stays; hub_turn is never called
    failed,  ///< a Python exception is set
};

/// Registers the module and makes it gevent's choice. Before gevent has a hub; imports gevent. The
/// loop of this thread's hub waits in `reactor`, which must outlive Python; hubs of other threads
/// and of forked processes make an io_context of their own.
[[nodiscard]] choice install(shared_reactor& reactor);

/// Its first half, without a loop of the server's: in a master that preloads.
[[nodiscard]] choice choose();

/// Null: none. It is also what happens in a process that was forked off.
void set_turn(hub_turn* turn) noexcept;

/// While held, the loop runs also when no greenlet of the application waits for anything.
void hold() noexcept;
void release() noexcept;

/// Lets the loop's `run` return after this turn: to whoever waits for the hub (LoopExit).
void leave() noexcept;

}  // namespace gevent_loop

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "python/asgi/task_starter.hpp"
#include "python/loop/shared_reactor.hpp"
#include "python/runtime/py_ref.hpp"

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace unicoro::python {

class asgi_call;

/// How asyncio's loop waits: in the reactor itself, or where something else runs that.
class loop_wait {
  public:
    /// As shared_reactor::wait; returns early when `interrupt` of the reactor was called. No exception
    /// is set when it returns.
    [[nodiscard]] virtual bool wait(std::optional<shared_reactor::clock::time_point> until) = 0;

    /// As of shared_reactor.
    [[nodiscard]] virtual error_code watch(int epoll_fd) = 0;
    virtual void unwatch() noexcept = 0;

  protected:
    ~loop_wait() = default;
};

/// asyncio's stock event loop with a selector that waits in the worker's io_context. Handlers of the
/// io_context leave word here (`arrive`, `note`, `leave`, `call`, `drop`), without the GIL, and what
/// they left is acted on when the wait is over: there tasks are made and woken. Handlers and loop are
/// on one thread.
class asgi_loop final : private loop_wait {
  public:
    using clock = shared_reactor::clock;

    explicit asgi_loop(shared_reactor& reactor) noexcept : reactor_(reactor), waiter_(this) {}
    asgi_loop(const asgi_loop&) = delete;
    asgi_loop& operator=(const asgi_loop&) = delete;

    // --- with the GIL

    /// Makes the loop and makes it this thread's. False with a Python exception set.
    [[nodiscard]] bool prepare();
    /// Waits another way. Before `prepare`.
    void wait_by(loop_wait& other) noexcept {
        waiter_ = &other;
        share_thread();
    }
    /// Code of a task may be left in the middle of a step, for that of others.
    [[nodiscard]] bool beside_greenlets() const noexcept { return waiter_ != this; }
    /// Other Python code runs on this thread while the loop waits: for that no loop runs.
    void share_thread() noexcept { shared_ = true; }
    /// Runs it until the io_context is stopped, then ends it.
    void drive();

    [[nodiscard]] PyObject* loop() const noexcept { return loop_.get(); }
    [[nodiscard]] py_ref make_future() const noexcept;
    /// A function of the package's asgi_loop.py.
    [[nodiscard]] static py_ref function(const char* name) noexcept;
    [[nodiscard]] PyObject* cancelled_error() const noexcept { return cancelled_error_.get(); }
    /// Room for the bytes of one message.
    [[nodiscard]] std::span<char> room() noexcept { return room_; }

    /// Requests whose application has begun and not ended.
    void began() noexcept { ++running_; }
    void ended() noexcept;
    /// Called when the last of them has ended.
    void on_quiet(std::function<void()> callback) { on_quiet_ = std::move(callback); }

    // --- in handlers

    void arrive(asgi_call& call);
    void note(asgi_call& call);
    void leave(asgi_call& call);
    void call(std::function<void()> what);
    void drop(PyObject* object);

    /// True when something was left that is acted on after a wait.
    [[nodiscard]] bool has_word() const noexcept {
        return !arrived_.empty() || !noted_.empty() || !left_.empty() || !dropped_.empty() || !calls_.empty();
    }

    [[nodiscard]] shared_reactor& reactor() noexcept { return reactor_; }
    [[nodiscard]] std::size_t running() const noexcept { return running_; }

  private:
    static PyObject* select(PyObject* self, PyObject* timeout);
    static PyObject* stopped(PyObject* self, PyObject*);

    bool wait(std::optional<clock::time_point> until) override { return reactor_.wait(until); }
    error_code watch(int epoll_fd) override { return reactor_.watch(epoll_fd); }
    void unwatch() noexcept override { reactor_.unwatch(); }
    [[nodiscard]] bool wait_outside(std::optional<clock::time_point> until);
    void set_running(PyObject* loop) noexcept;
    [[nodiscard]] bool turn(std::optional<clock::time_point> until);
    void act();
    void start_arrived();

    shared_reactor& reactor_;
    loop_wait* waiter_;
    py_ref loop_;
    py_ref create_future_;
    py_ref cancelled_error_;
    task_starter starter_;
    std::deque<asgi_call*> arrived_;
    std::vector<asgi_call*> noted_;
    std::vector<asgi_call*> waking_;
    std::vector<asgi_call*> left_;
    std::vector<PyObject*> dropped_;
    std::vector<std::function<void()>> calls_;
    std::function<void()> on_quiet_;
    py_ref running_loop_;
    std::size_t running_ = 0;
    bool shared_ = false;
    std::array<char, 64 * 1024> room_;
};

}  // namespace unicoro::python

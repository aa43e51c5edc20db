// SPDX-License-Identifier: MIT
#pragma once

#include "python/asgi/asgi_runner.hpp"
#include "python/loop/epoll_watch.hpp"
#include "python/loop/shared_reactor.hpp"
#include "python/runtime/py_ref.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <optional>

namespace unicoro::python {

/// asyncio beside gevent in one thread: its loop lives in a greenlet, and waits by switching to gevent's
/// hub, whose loop runs the worker's io_context. Every call with the GIL.
class asgi_greenlet final : public loop_wait {
  public:
    asgi_greenlet(shared_reactor& reactor, asgi_runner& asgi);
    asgi_greenlet(const asgi_greenlet&) = delete;
    asgi_greenlet& operator=(const asgi_greenlet&) = delete;
    ~asgi_greenlet();

    /// In the main greenlet. False with a Python exception set.
    [[nodiscard]] bool prepare(PyObject* hub);

    /// In the hub, in each turn of its loop: lets asyncio go on when there is something for it.
    void turn();

    /// In the main greenlet, when the io_context has stopped: lets asyncio end.
    void end();

    [[nodiscard]] bool wait(std::optional<shared_reactor::clock::time_point> until) override;
    [[nodiscard]] error_code watch(int epoll_fd) override { return epoll_.open(epoll_fd); }
    void unwatch() noexcept override { epoll_.close(); }

  private:
    using clock = shared_reactor::clock;

    static PyObject* run(PyObject* self, PyObject*);
    void set_alarm();
    [[nodiscard]] bool is_due() const;
    void go_on();

    shared_reactor& reactor_;
    asgi_runner& asgi_;
    py_ref hub_;
    py_ref greenlet_;
    epoll_watch epoll_;
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor> alarm_;
    std::optional<clock::time_point> until_;
    /// In `wait`, or not begun. A coroutine that calls something which waits for gevent is in the hub's
    /// hands: nothing else may switch to it then.
    bool waits_ = true;
};

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "python/loop/shared_reactor.hpp"
#include "python/wsgi/greenlets/greenlet_call.hpp"
#include "python/wsgi/wsgi_runner.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace unicoro::python {

/// A greenlet for each request that is in the application, a child of the hub of a foreign loop
/// (gevent's, eventlet's). Handlers of the io_context only leave word here; the loop calls `turn` in
/// its hub outside of them, and there greenlets are switched to.
///
/// To make a greenlet and to switch to it costs as much as a short request. So one that has answered
/// its request without ever waiting takes the next one, unless something of the last one is left on
/// it, or the CPython or the greenlet here is one that this was not tried with (the package's compat.py).
class greenlet_runner final : public wsgi_runner {
  public:
    explicit greenlet_runner(shared_reactor& reactor) noexcept : reactor_(reactor) {}
    ~greenlet_runner() override;

    /// Needs greenlet in the application's environment. False with a Python exception set.
    [[nodiscard]] bool prepare();

    environ_builder::calls concurrency() const noexcept override {
        return environ_builder::calls::many_at_once;
    }

    // --- for the calls, in their coroutines and in the hub

    [[nodiscard]] asio::io_context& context() const noexcept { return reactor_.context(); }
    void begin(greenlet_call_ptr call) { plan(std::move(call), step::start); }
    /// Its greenlet is told that the request is gone.
    void cancel(greenlet_call_ptr call) { plan(std::move(call), step::cancel); }
    /// Those that wait in the call look again.
    void wake(const greenlet_call_ptr& call) {
        if (call->awaited()) plan(call, step::resume);
    }

    /// In the hub greenlet, outside of Asio, with the GIL. Leaves no exception set.
    void turn(PyObject* hub);
    [[nodiscard]] bool has_work() const noexcept { return !due_.empty(); }
    /// No greenlet is in an application.
    [[nodiscard]] bool idle() const noexcept { return inside_calls_ == 0; }

  private:
    enum class step : std::uint8_t { start, resume, cancel };
    struct entry {
        greenlet_call_ptr call;
        step what;
    };

    bool leaves_body(const http::request_head& head) const noexcept override;
    awaitable<void> run(wsgi_runtime& application, app::exchange& request, request_body body) override;
    void plan(greenlet_call_ptr call, step what);
    void start_next();
    [[nodiscard]] bool starts_next() const noexcept;
    void carry(PyObject* carrier);
    [[nodiscard]] bool rest(PyObject* carrier, PyObject* hub);
    static PyObject* enter(PyObject* self, PyObject*);

    shared_reactor& reactor_;
    std::vector<entry> due_;
    std::vector<entry> now_;
    std::size_t next_ = 0;  // of `now_`
    std::size_t inside_calls_ = 0;
    bool carries_ = false;  // more than one request on a greenlet
    py_ref entry_;
    py_ref hub_;
    py_ref resting_;
    py_ref entering_;
    PyObject* inside_ = nullptr;  // runs since the hub has switched to it, without having waited
};

}  // namespace unicoro::python

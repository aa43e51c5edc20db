// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "app/exchange.hpp"
#include "python/asgi/asgi_loop.hpp"
#include "python/runtime/py_ref.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::python {

class asgi_application;

/// One request in an ASGI application. Two parties share it. The connection's coroutine attends to it
/// and does the output and the waiting; it is in handlers of the io_context and calls no Python. The
/// application's task calls send() and receive(); it acts on the exchange itself where that needs no
/// waiting, which it may because the coroutine then waits for its bell. When the coroutine leaves, the
/// task may go on: it has no request any more. From `begin` on the object belongs to the task's
/// coroutine object, and that is kept until the connection's coroutine and its reader have left. Any
/// code of the application may switch, wait or raise, and the request be gone afterwards: what it gives
/// is taken first, and then `attended` is asked.
class asgi_call : public app::running_request {
  public:
    enum class progress : std::uint8_t { ready, pending, failed };
    /// What receive() comes to with a message made, or with the exception for that it could not be.
    [[nodiscard]] static progress ready_if(const py_ref& message) noexcept {
        return message ? progress::ready : progress::failed;
    }
    enum class ending : std::uint8_t { returned, raised, cancelled };

    asgi_call(asgi_loop& loop, asgi_application& application, app::exchange& request);
    asgi_call(const asgi_call&) = delete;
    asgi_call& operator=(const asgi_call&) = delete;
    virtual ~asgi_call() = default;

    /// The part of the connection's coroutine, from its beginning to its end.
    class attendance {
      public:
        explicit attendance(asgi_call& call) noexcept : call_(&call) {}
        attendance(attendance&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
        attendance& operator=(attendance&&) = delete;
        ~attendance() {
            if (call_ != nullptr) call_->unattended();
        }
        [[nodiscard]] asgi_call& call() const noexcept { return *call_; }

      private:
        asgi_call* call_;
    };
    static awaitable<void> attend(attendance here);

    // --- with the GIL, for the loop

    /// The task's coroutine object owns the call from here on.
    void begin(PyObject* coroutine);
    [[nodiscard]] bool begun() const noexcept { return static_cast<bool>(keeper_); }
    void not_begun(PyObject* exception);
    void runs_in(py_ref task);
    /// Tasks that wait in send() or receive() look again.
    void wake();
    /// Nobody waits for this future any more.
    void forget(PyObject* future);
    /// After the coroutine has left; the call may be gone afterwards.
    void let_go();

    // --- with the GIL, in the task

    /// Calls the application: its awaitable, or nothing with an exception set.
    [[nodiscard]] py_ref call_application(PyObject* coroutine);
    /// The application has ended; an exception is set unless it returned. Restores a cancellation.
    ending app_ended(bool returned);
    [[nodiscard]] py_ref future_to_wait();

    /// A message for receive(), or `pending`: then the task waits and asks again.
    [[nodiscard]] virtual progress receive(py_ref& message) = 0;
    /// An awaitable; nothing with an exception set.
    [[nodiscard]] virtual py_ref send(PyObject* message) = 0;
    /// Whether what was sent is far enough on its way for send() to return.
    [[nodiscard]] virtual progress sent() = 0;

    /// What a step of the task has used of the CPU, where that is to be told.
    [[nodiscard]] bool measures_cpu() const noexcept { return measures_cpu_; }
    void add_cpu_time(std::chrono::nanoseconds used) noexcept {
        if (request_ != nullptr) request_->add_cpu_time(used);
    }

    // --- for the log
    std::string stack() const override;
    std::shared_ptr<app::code_place> place() override;

  protected:
    /// With the GIL.
    [[nodiscard]] virtual py_ref make_scope() = 0;
    virtual void concluded(ending how) = 0;
    /// In the coroutine: something to do, and nothing will come any more.
    [[nodiscard]] virtual bool has_errand() const noexcept = 0;
    [[nodiscard]] virtual bool over() const noexcept = 0;
    /// The application has given its whole response.
    [[nodiscard]] virtual bool answered() const noexcept = 0;
    virtual awaitable<void> run_errand() = 0;
    virtual void leaving() {}

    /// Runs beside the coroutine in the request's nursery, one at a time. With the GIL.
    void start_reading(awaitable<void> what);
    [[nodiscard]] bool reading() const noexcept { return reading_; }
    void ring() { bell_.set(); }
    /// Tasks in send() or receive() look again soon. With the GIL.
    void tell_waiting() {
        if (!waiting_.empty()) loop_.note(*this);
    }
    [[nodiscard]] PyObject* coroutine() const noexcept { return coroutine_; }
    /// There is a client, and a coroutine that attends to it.
    [[nodiscard]] bool attended() const noexcept { return request_ != nullptr && !gone_; }
    /// The application is told that nobody listens: the exception is set.
    [[nodiscard]] py_ref client_gone();
    void log_failure(std::string_view what, PyObject* exception = nullptr) const;

    asgi_loop& loop_;
    asgi_application& application_;
    app::exchange* request_;  // null once the connection's coroutine has left
    bool gone_ = false;       // the client is gone, or the server has ended the request

  private:
    /// In the frame of a read, from its making to its end, also of one that never began.
    class read_in_flight {
      public:
        explicit read_in_flight(asgi_call& call) noexcept : call_(&call) { call.reading_ = true; }
        read_in_flight(read_in_flight&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
        read_in_flight& operator=(read_in_flight&&) = delete;
        ~read_in_flight() {
            if (call_ != nullptr) call_->read_ended();
        }

      private:
        asgi_call* call_;
    };
    static awaitable<void> read(read_in_flight here, awaitable<void> what);

    void read_ended();
    void unattended();
    void cancel_task();
    void call_later(double seconds, PyMethodDef& method);
    static PyObject* look_after_cancel(PyObject* self, PyObject*);
    static PyObject* end_grace(PyObject* self, PyObject*);

    aio::event bell_;
    py_ref keeper_;  // the coroutine object, while the connection's coroutine attends
    py_ref task_;    // while the application has not ended
    py_ref scope_;
    PyObject* coroutine_ = nullptr;  // the same as keeper_, and stays
    std::vector<py_ref> waiting_;    // futures of tasks in send() or receive()
    bool reading_ = false;
    bool finished_ = false;
    bool cancel_due_ = false;
    bool grace_due_ = false;
    bool cancelled_ = false;
    bool told_gone_ = false;  // by send()
    const bool measures_cpu_;
};

}  // namespace unicoro::python

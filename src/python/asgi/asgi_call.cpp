// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_call.hpp"

#include "log/log.hpp"
#include "python/asgi/asgi_application.hpp"
#include "python/asgi/asgi_names.hpp"
#include "python/asgi/awaitables.hpp"
#include "python/asgi/call_coroutine.hpp"
#include "python/runtime/failure_report.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/no_collection.hpp"
#include "python/runtime/python_place.hpp"
#include "python/runtime/traceback.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>

namespace unicoro::python {
namespace {

// A task that is cancelled may clean up for a while before that is worth a line in the log.
constexpr double cancel_grace = 1.0;

}  // namespace

asgi_call::asgi_call(asgi_loop& loop, asgi_application& application, app::exchange& request)
    : loop_(loop),
      application_(application),
      request_(&request),
      bell_(loop.reactor().context()),
      measures_cpu_(request.measures_cpu() && !loop.beside_greenlets()) {}

awaitable<void> asgi_call::attend(attendance here) {
    asgi_call& call = here.call();
    call.request_->runs_as(&call);
    try {
        while (!call.over()) {
            if (call.has_errand()) {
                co_await call.run_errand();
                call.loop_.note(call);
            } else {
                const auto [ec] = co_await call.bell_.wait();
                if (ec) throw boost::system::system_error(ec);
            }
        }
    } catch (...) {
        // Whatever ends it before the response is complete, the task has lost its request.
        call.cancel_due_ = true;
        throw;
    }
    call.leaving();
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    call.cancel_due_ = state.cancelled() != asio::cancellation_type::none;
    call.grace_due_ = !call.cancel_due_ && call.gone_ && !call.answered();
}

void asgi_call::start_reading(awaitable<void> what) {
    read_in_flight here(*this);
    request_->nursery().spawn("a read of a request", read(std::move(here), std::move(what)));
}

awaitable<void> asgi_call::read(read_in_flight, awaitable<void> what) {
    co_await std::move(what);
}

void asgi_call::read_ended() {
    reading_ = false;
    if (request_ == nullptr) return loop_.leave(*this);
    loop_.note(*this);
    bell_.set();
}

void asgi_call::unattended() {
    request_->runs_as(nullptr);
    request_ = nullptr;
    if (!reading_) loop_.leave(*this);
}

void asgi_call::begin(PyObject* coroutine) {
    keeper_ = py_ref::borrow(coroutine);
    coroutine_ = coroutine;
    loop_.began();
}

void asgi_call::not_begun(PyObject* exception) {
    log_failure({}, exception);
    if (begun()) {
        finished_ = true;
        loop_.ended();
    }
    concluded(ending::raised);
}

void asgi_call::runs_in(py_ref task) {
    if (!finished_) task_ = std::move(task);
}

void asgi_call::wake() {
    for (const py_ref& each : std::exchange(waiting_, {})) {
        const py_ref done = py_ref::steal(PyObject_CallMethod(each.get(), "done", nullptr));
        if (!done || done.get() == Py_True) continue;
        const py_ref set = py_ref::steal(PyObject_CallMethod(each.get(), "set_result", "O", Py_None));
        if (!set) PyErr_WriteUnraisable(each.get());
    }
    PyErr_Clear();
}

py_ref asgi_call::future_to_wait() {
    py_ref future = loop_.make_future();
    if (future) waiting_.push_back(py_ref::borrow(future.get()));
    return future;
}

void asgi_call::forget(PyObject* future) {
    const auto place = std::find_if(waiting_.begin(), waiting_.end(), [future](const py_ref& each) {
        return each.get() == future;
    });
    if (place == waiting_.end()) return;
    const py_ref gone = std::move(*place);
    *place = std::move(waiting_.back());
    waiting_.pop_back();
}

void asgi_call::let_go() {
    gone_ = true;
    wake();
    if (cancel_due_ && !finished_) cancel_task();
    if (grace_due_ && !finished_) {
        static PyMethodDef end_method{
            "end_grace", &end_grace, METH_NOARGS, "Cancels a task whose client is gone."
        };
        call_later(application_.disconnect_grace(), end_method);
    }
    const py_ref last = std::move(keeper_);
}

void asgi_call::cancel_task() {
    static PyMethodDef look_method{
        "look_after_cancel", &look_after_cancel, METH_NOARGS, "Logs a task that goes on."
    };
    cancelled_ = true;
    if (!task_) return;
    const py_ref asked = py_ref::steal(PyObject_CallMethod(task_.get(), "cancel", nullptr));
    if (!asked) PyErr_WriteUnraisable(task_.get());
    call_later(cancel_grace, look_method);
}

void asgi_call::call_later(double seconds, PyMethodDef& method) {
    const py_ref callback = py_ref::steal(PyCFunction_New(&method, coroutine_));
    py_ref timer;
    if (callback) {
        timer = py_ref::steal(PyObject_CallMethod(loop_.loop(), "call_later", "dO", seconds, callback.get()));
    }
    if (!timer) PyErr_WriteUnraisable(coroutine_);
}

PyObject* asgi_call::end_grace(PyObject* self, PyObject*) {
    asgi_call& call = call_of(self);
    if (!call.finished_) call.cancel_task();
    Py_RETURN_NONE;
}

PyObject* asgi_call::look_after_cancel(PyObject* self, PyObject*) {
    const asgi_call& call = call_of(self);
    if (!call.finished_) {
        call.log_failure("the task ignores that it was cancelled\n" + call.stack());
    }
    Py_RETURN_NONE;
}

py_ref asgi_call::call_application(PyObject* coroutine) {
    // Not begun yet and the client is gone already: nobody waits for it.
    if (request_ != nullptr) {
        const no_collection meanwhile;
        scope_ = make_scope();
    }
    if (!scope_) {
        if (PyErr_Occurred() == nullptr) PyErr_SetNone(loop_.cancelled_error());
        return {};
    }
    const py_ref receive = make_receive(coroutine);
    const py_ref send = make_send(coroutine);
    if (!receive || !send) return {};
    const std::array<PyObject*, 4> arguments{nullptr, scope_.get(), receive.get(), send.get()};
    return py_ref::steal(PyObject_Vectorcall(
        application_.callable(), arguments.data() + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr
    ));
}

asgi_call::ending asgi_call::app_ended(bool returned) {
    if (std::exchange(finished_, true)) return ending::returned;
    ending how = ending::returned;
    py_ref exception;
    if (!returned) {
        exception = take_exception();
        how = exception && PyErr_GivenExceptionMatches(exception.get(), loop_.cancelled_error()) != 0
                  ? ending::cancelled
                  : ending::raised;
        if (how == ending::raised) {
            if (told_gone_ && stems_from(exception.get(), PyExc_ConnectionResetError)) {
                log::info("the client went away before its response was complete");
            } else {
                log_failure({}, exception.get());
            }
        } else if (request_ != nullptr && !cancelled_) {
            log_failure("the task was cancelled, and not by the server");
        }
    }
    concluded(how);
    task_.reset();
    scope_.reset();
    loop_.ended();
    if (how == ending::cancelled) {
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
    }
    return how;
}

py_ref asgi_call::client_gone() {
    told_gone_ = true;
    PyErr_SetString(PyExc_ConnectionResetError, "the client has disconnected");
    return {};
}

void asgi_call::log_failure(std::string_view what, PyObject* exception) const {
    std::string headline;
    if (request_ != nullptr) {
        const http::request_head& head = request_->head();
        headline = "Error handling request " + log::escaped(head.method) + ' ' + log::escaped(head.target);
    } else {
        PyObject* const path = scope_ ? PyDict_GetItem(scope_.get(), asgi_names::all().path) : nullptr;
        headline = "Error after the end of a request for " + log::escaped(to_utf8(path));
    }
    report_failure(std::move(headline), what, exception);
}

std::string asgi_call::stack() const {
    const gil_lock gil;
    if (finished_ || coroutine_ == nullptr) return {};
    const py_ref describe = loop_.function("stack");
    py_ref text;
    if (describe) text = py_ref::steal(PyObject_CallOneArg(describe.get(), coroutine_));
    if (!text) PyErr_Clear();
    return to_utf8(text.get());
}

std::shared_ptr<app::code_place> asgi_call::place() {
    if (finished_ || coroutine_ == nullptr) return nullptr;
    PyObject* const inner = inner_of(coroutine_);
    return inner != nullptr ? place_of("task", inner) : nullptr;
}

}  // namespace unicoro::python

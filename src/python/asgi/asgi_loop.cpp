// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_loop.hpp"

#include "log/log.hpp"
#include "python/asgi/asgi_call.hpp"
#include "python/asgi/call_coroutine.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/traceback.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace unicoro::python {
namespace {

constexpr const char* module = "_unicoro.asgi_loop";

// Beyond, a point in time could not be told; asyncio itself never waits longer than a day.
constexpr double longest_wait = 7 * 24 * 3600.0;

PyObject* report(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "report(what, error)");
        return nullptr;
    }
    const std::string what = to_utf8(arguments[0]);
    if (arguments[1] == Py_None) {
        log::warning("{}", what);
    } else {
        log::error("{}\n{}", what, describe_exception(arguments[1]));
    }
    Py_RETURN_NONE;
}

}  // namespace

bool asgi_loop::prepare() {
    static PyMethodDef select_method{"wait", &select, METH_O, "wait(timeout) -> bool"};
    loop_ = package::call(module, "make_loop");
    if (!loop_ || !starter_.prepare(loop_.get())) return false;
    running_loop_ = function("running_loop");
    create_future_ = py_ref::steal(PyObject_GetAttrString(loop_.get(), "create_future"));
    const py_ref asyncio = py_ref::steal(PyImport_ImportModule("asyncio"));
    if (!running_loop_ || !create_future_ || !asyncio) return false;
    cancelled_error_ = py_ref::steal(PyObject_GetAttrString(asyncio.get(), "CancelledError"));
    const py_ref selector = py_ref::steal(PyObject_GetAttrString(loop_.get(), "_selector"));
    if (!cancelled_error_ || !selector) return false;
    const py_ref wait = bound_method(select_method, this);
    if (!wait || PyObject_SetAttrString(selector.get(), "wait", wait.get()) != 0) return false;
    const py_ref fd = py_ref::steal(PyObject_CallMethod(selector.get(), "fileno", nullptr));
    if (!fd) return false;
    if (const error_code failed = waiter_->watch(static_cast<int>(PyLong_AsLong(fd.get())))) {
        PyErr_SetString(PyExc_OSError, failed.message().c_str());
        return false;
    }
    return true;
}

py_ref asgi_loop::function(const char* name) noexcept {
    return package::find(module, name);
}

py_ref asgi_loop::make_future() const noexcept {
    return py_ref::steal(PyObject_CallNoArgs(create_future_.get()));
}

PyObject* asgi_loop::stopped(PyObject* self, PyObject*) {
    return PyBool_FromLong(bound_object<asgi_loop>(self).reactor_.stopped() ? 1 : 0);
}

void asgi_loop::drive() {
    static PyMethodDef stopped_method{"stopped", &stopped, METH_NOARGS, "stopped() -> bool"};
    static PyMethodDef report_method{"report", fast(&report), METH_FASTCALL, "report(what, error)"};
    const py_ref drive = function("drive");
    const py_ref is_stopped = bound_method(stopped_method, this);
    const py_ref tell = py_ref::steal(PyCFunction_New(&report_method, nullptr));
    py_ref ended;
    if (drive && is_stopped && tell) {
        ended = py_ref::steal(
            PyObject_CallFunctionObjArgs(drive.get(), loop_.get(), is_stopped.get(), tell.get(), nullptr)
        );
    }
    if (!ended) {
        log::error("the event loop failed\n{}", describe_exception(take_exception().get()));
        reactor_.context().stop();
    }
    waiter_->unwatch();
    act();
}

PyObject* asgi_loop::select(PyObject* self, PyObject* timeout) {
    std::optional<clock::time_point> until;
    if (timeout != Py_None) {
        const double seconds = PyFloat_AsDouble(timeout);
        if (seconds == -1.0 && PyErr_Occurred() != nullptr) return nullptr;
        until = clock::time_point::min();
        if (seconds > 0) {
            const std::chrono::duration<double> left(std::min(seconds, longest_wait));
            until = clock::now() + std::chrono::ceil<clock::duration>(left);
        }
    }
    return PyBool_FromLong(bound_object<asgi_loop>(self).turn(until) ? 1 : 0);
}

bool asgi_loop::turn(std::optional<clock::time_point> until) {
    if (interpreter::forked_away()) interpreter::leave_forked();
    const bool fired = shared_ ? wait_outside(until) : waiter_->wait(until);
    act();
    if (reactor_.stopped()) {
        const py_ref done = py_ref::steal(PyObject_CallMethod(loop_.get(), "stop", nullptr));
        if (!done) PyErr_Clear();
    }
    return fired;
}

bool asgi_loop::wait_outside(std::optional<clock::time_point> until) {
    set_running(Py_None);
    const bool fired = waiter_->wait(until);
    set_running(loop_.get());
    return fired;
}

void asgi_loop::set_running(PyObject* loop) noexcept {
    const py_ref set = py_ref::steal(PyObject_CallOneArg(running_loop_.get(), loop));
    if (!set) PyErr_Clear();
}

void asgi_loop::act() {
    for (const auto& each : std::exchange(calls_, {})) each();
    waking_.swap(noted_);
    for (asgi_call* each : waking_) each->wake();
    waking_.clear();
    // Dropping the last reference may run code of the application, which may drop more.
    while (!left_.empty()) {
        asgi_call* const call = left_.back();
        left_.pop_back();
        call->let_go();
    }
    while (!dropped_.empty()) {
        PyObject* const object = dropped_.back();
        dropped_.pop_back();
        Py_DECREF(object);
    }
    if (!arrived_.empty()) start_arrived();
}

// A first step that waits by other means than await (a greenlet's) lets handlers run: they may end a
// request that waits here, and bring others.
void asgi_loop::start_arrived() {
    starter_.begin();
    while (!arrived_.empty()) {
        asgi_call& next = *arrived_.front();
        arrived_.pop_front();
        const py_ref coroutine = make_call_coroutine(next);
        py_ref task;
        if (coroutine) {
            next.begin(coroutine.get());
            task = starter_.make(coroutine.get());
        }
        if (task) {
            next.runs_in(std::move(task));
        } else {
            next.not_begun(take_exception().get());
        }
    }
    starter_.end();
}

void asgi_loop::ended() noexcept {
    if (--running_ == 0 && on_quiet_) on_quiet_();
}

void asgi_loop::arrive(asgi_call& call) {
    arrived_.push_back(&call);
    reactor_.interrupt();
}

void asgi_loop::note(asgi_call& call) {
    if (std::find(noted_.begin(), noted_.end(), &call) == noted_.end()) noted_.push_back(&call);
    reactor_.interrupt();
}

void asgi_loop::leave(asgi_call& call) {
    if (!call.begun()) {
        std::erase(arrived_, &call);
        delete &call;
        return;
    }
    left_.push_back(&call);
    reactor_.interrupt();
}

void asgi_loop::call(std::function<void()> what) {
    calls_.push_back(std::move(what));
    reactor_.interrupt();
}

void asgi_loop::drop(PyObject* object) {
    dropped_.push_back(object);
    reactor_.interrupt();
}

}  // namespace unicoro::python

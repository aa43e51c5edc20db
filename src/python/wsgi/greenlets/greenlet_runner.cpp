// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/greenlet_runner.hpp"

#include "log/log.hpp"
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/traceback.hpp"
#include "python/wsgi/greenlets/greenlet_slate.hpp"

#include <string>
#include <utility>

namespace unicoro::python {
namespace {

// A body up to this size is read before the application is called: it needs no greenlet to wait for
// its bytes, and a slow client costs nothing but its connection.
constexpr std::uint64_t read_ahead = 64 * 1024;

bool comes_first(const http::request_head& head) noexcept {
    return head.framing == http::body_framing::length && head.content_length <= read_ahead &&
           !head.expects_continue;
}

PyMethodDef entry_method{"requests", nullptr, METH_NOARGS, "Runs requests in the greenlet that calls it."};

}  // namespace

greenlet_runner::~greenlet_runner() {
    due_.clear();
}

bool greenlet_runner::prepare() {
    if (!greenlet_api::import()) return false;
    entry_method.ml_meth = &greenlet_runner::enter;
    entry_ = bound_method(entry_method, this);
    const py_ref untried = package::call("_unicoro.compat", "untried_for_carriers");
    if (!entry_ || !untried) return false;
    const std::string why = to_utf8(untried.get());
    carries_ = why.empty();
    if (!carries_) log::info("{}", why);
    return true;
}

PyObject* greenlet_runner::enter(PyObject* self, PyObject*) {
    auto& runner = bound_object<greenlet_runner>(self);
    // Who switches to it keeps it alive; a reference of its own would do so for ever.
    PyObject* const carrier = greenlet_api::current().get();
    if (runner.entering_.get() == carrier) runner.carry(carrier);
    Py_RETURN_NONE;
}

void greenlet_runner::carry(PyObject* carrier) {
    const py_ref hub = py_ref::borrow(hub_.get());
    do {
        entering_.reset();
        const greenlet_slate slate(carrier, hub.get());
        while (starts_next()) {
            const greenlet_call_ptr call = std::move(now_[next_++].call);
            ++inside_calls_;
            call->run(carrier, hub.get());
            --inside_calls_;
            if (inside_ != carrier || !carries_ || !slate.wipe()) return;
        }
    } while (rest(carrier, hub.get()));
}

// False when it is to end.
bool greenlet_runner::rest(PyObject* carrier, PyObject* hub) {
    if (resting_ || hub != hub_.get()) return false;
    resting_ = py_ref::borrow(carrier);
    const py_ref woken = greenlet_api::switch_to(hub);
    PyErr_Clear();
    return woken && inside_ == carrier;
}

void greenlet_runner::plan(greenlet_call_ptr call, step what) {
    due_.push_back({std::move(call), what});
    reactor_.interrupt();
}

bool greenlet_runner::leaves_body(const http::request_head& head) const noexcept {
    return !comes_first(head);
}

awaitable<void> greenlet_runner::run(wsgi_runtime& application, app::exchange& request, request_body body) {
    return attend(
        request, greenlet_call_ptr(new greenlet_call(*this, application, request, std::move(body)))
    );
}

void greenlet_runner::turn(PyObject* hub) {
    if (due_.empty()) return;
    if (hub != hub_.get()) {
        resting_.reset();
        hub_ = py_ref::borrow(hub);
    }
    // Switching lets the hub's other work in, but never this: it happens here only.
    now_.swap(due_);
    while (next_ < now_.size()) {
        // The application has forked meanwhile: all that is left is the parent's.
        if (interpreter::forked_away()) return;
        if (starts_next()) {
            start_next();
            continue;
        }
        const entry each = std::move(now_[next_++]);
        if (each.what == step::resume) {
            each.call->resume();
        } else {
            const py_ref exception = package::call("_unicoro", "RequestCancelled");
            if (exception) each.call->interrupt(exception.get());
            PyErr_Clear();
            each.call->resume();
        }
    }
    if (interpreter::forked_away()) return;
    now_.clear();
    next_ = 0;
}

bool greenlet_runner::starts_next() const noexcept {
    return next_ < now_.size() && now_[next_].what == step::start;
}

// What waits behind it may have been started as well when this returns.
void greenlet_runner::start_next() {
    const std::size_t place = next_;
    entering_ = resting_ ? std::move(resting_) : greenlet_api::make(entry_.get(), hub_.get());
    inside_ = entering_.get();
    py_ref came_back;
    if (inside_ != nullptr) came_back = greenlet_api::switch_to(inside_);
    inside_ = nullptr;
    if (came_back) return;
    switch_failed();
    if (next_ == place) now_[next_++].call->end();
}

}  // namespace unicoro::python

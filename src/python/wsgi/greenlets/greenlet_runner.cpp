// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/greenlet_runner.hpp"

#include "aio/cancellation.hpp"
#include "log/log.hpp"
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/traceback.hpp"
#include "python/wsgi/greenlets/greenlet_slate.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

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

/// The coroutine's side of a call: when it leaves before the greenlet is done, the greenlet is told.
class greenlet_runner::presence {
  public:
    presence(greenlet_runner& runner, app::exchange& request, greenlet_call_ptr call)
        : runner_(runner), request_(request), call_(std::move(call)) {
        request_.runs_as(call_.get());
    }
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;
    ~presence() {
        request_.runs_as(nullptr);
        if (call_->finished()) {
            runner_.wake(call_);
        } else {
            call_->detach();
            runner_.plan(call_, step::cancel);
        }
    }

  private:
    greenlet_runner& runner_;
    app::exchange& request_;
    greenlet_call_ptr call_;
};

greenlet_runner::~greenlet_runner() {
    due_.clear();
}

bool greenlet_runner::prepare() {
    if (!greenlet_api::import()) return false;
    entry_method.ml_meth = &greenlet_runner::enter;
    const py_ref self = py_ref::steal(PyCapsule_New(this, nullptr, nullptr));
    if (self) entry_ = py_ref::steal(PyCFunction_New(&entry_method, self.get()));
    return static_cast<bool>(entry_);
}

PyObject* greenlet_runner::enter(PyObject* self, PyObject*) {
    auto* const runner = static_cast<greenlet_runner*>(PyCapsule_GetPointer(self, nullptr));
    if (runner == nullptr) return nullptr;
    // Who switches to it keeps it alive; a reference of its own would do so for ever.
    PyObject* const carrier = greenlet_api::current().get();
    if (runner->entering_.get() == carrier) runner->carry(carrier);
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
            if (inside_ != carrier || !slate.wipe()) return;
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

awaitable<void> greenlet_runner::handle(wsgi_runtime& application, app::exchange& request) {
    app::spooled_body body;
    auto kind = wsgi_call::body_kind::whole;
    if (has_body(request)) {
        if (comes_first(request.head())) {
            const bool taken = co_await take_body(request, body);
            if (!taken) co_return;
        } else {
            kind = wsgi_call::body_kind::live;
        }
    }
    const greenlet_call_ptr call(new greenlet_call(*this, application, request, std::move(body), kind));
    {
        const presence here(*this, request, call);
        plan(call, step::start);
        for (;;) {
            const auto [cancelled] = co_await call->bell();
            if (cancelled) throw boost::system::system_error(cancelled);
            if (call->has_errand()) {
                co_await call->run_errand();
                wake(call);
            }
            if (call->finished()) break;
        }
    }
    const wsgi_call::step& last = call->last_step();
    if (last.what != wsgi_call::action::none) co_await deliver(request, last);
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
            const py_ref why = interpreter::bootstrap("RequestCancelled");
            const py_ref exception = py_ref::steal(PyObject_CallNoArgs(why.get()));
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
    log::error("a request's greenlet failed\n{}", describe_exception(take_exception().get()));
    if (next_ == place) now_[next_++].call->end();
}

}  // namespace unicoro::python

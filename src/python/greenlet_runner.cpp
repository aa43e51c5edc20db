// SPDX-License-Identifier: MIT
#include "python/greenlet_runner.hpp"

#include "aio/cancellation.hpp"
#include "python/greenlet_api.hpp"
#include "python/interpreter.hpp"
#include "python/traceback.hpp"

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

PyMethodDef entry_method{
    "request", nullptr, METH_NOARGS, "Runs one request in the greenlet that calls it."};

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
        if (call_->finished()) return;
        call_->detach();
        runner_.plan(call_, step::cancel);
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
    if (runner == nullptr || runner->entering_ == nullptr) {
        PyErr_SetString(PyExc_RuntimeError, "only the server can begin a request");
        return nullptr;
    }
    const greenlet_call_ptr call(std::exchange(runner->entering_, nullptr));
    call->run();
    Py_RETURN_NONE;
}

void greenlet_runner::plan(greenlet_call_ptr call, step what) {
    due_.push_back({std::move(call), what});
    reactor_.interrupt();
}

awaitable<void> greenlet_runner::handle(wsgi_runtime& application, app::exchange& request) {
    if (!admit(application, request)) co_return;
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
    const greenlet_call_ptr call(new greenlet_call(
        reactor_.context(), application, request, std::move(body), kind
    ));
    {
        const presence here(*this, request, call);
        plan(call, step::start);
        for (;;) {
            const auto [cancelled] = co_await call->bell();
            if (cancelled) throw boost::system::system_error(cancelled);
            if (call->finished()) break;
            co_await call->run_errand();
            plan(call, step::resume);
        }
    }
    const wsgi_call::step& last = call->last_step();
    if (last.what != wsgi_call::action::none) co_await deliver(request, last);
}

void greenlet_runner::turn(PyObject* hub) {
    if (due_.empty()) return;
    // Switching lets the hub's other work in, but never this: it happens here only.
    now_.swap(due_);
    for (entry& each : now_) {
        switch (each.what) {
            case step::start:
                entering_ = each.call.get();
                each.call->start(entry_.get(), hub);
                entering_ = nullptr;
                break;
            case step::resume: each.call->resume(); break;
            case step::cancel: {
                const py_ref why = interpreter::bootstrap("RequestCancelled");
                const py_ref exception = py_ref::steal(PyObject_CallNoArgs(why.get()));
                if (exception) each.call->interrupt(exception.get());
                PyErr_Clear();
                break;
            }
        }
    }
    now_.clear();
}

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/thread_call.hpp"

#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/thread_exception.hpp"
#include "python/runtime/traceback.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace unicoro::python {

thread_call::thread_call(
    asio::io_context& io, wsgi_runtime& runtime, app::exchange& request, app::spooled_body body
)
    : io_(io),
      bell_(io),
      request_(request),
      call_(runtime, request_, app::loop_meanwhile::runs),
      body_(std::move(body)) {}

thread_call::news thread_call::take_news() {
    const std::lock_guard lock(mutex_);
    rung_ = false;
    const error_code failed = unsent_.take(sending_);
    return {sending_, finished_, failed};
}

void thread_call::sent(error_code outcome) {
    {
        const std::lock_guard lock(mutex_);
        if (outcome) failed_ = outcome;
    }
    room_.notify_all();
}

bool thread_call::finished() {
    const std::lock_guard lock(mutex_);
    return finished_;
}

void thread_call::abandon() {
    if (!taken_away()) {
        const gil_lock gil;
        take_away();
    }
    sent(errc::cancelled);
}

void thread_call::take_away() {
    request_.detach();
    const py_ref why = interpreter::bootstrap("RequestCancelled");
    if (thread_ != nullptr && why) {
        raise_in(*thread_, why.get());
        raised_ = true;
    }
    PyErr_Clear();
}

void thread_call::ring() {
    asio::post(io_, [call = thread_call_ptr(this)] { call->bell_.set(); });
}

void thread_call::run() {
    if (request_.detached()) return;
    thread_ = PyThreadState_Get();
    step_ = call_.begin(std::move(body_), *this, wsgi_call::body_kind::whole);
    while (step_.what == wsgi_call::action::write) {
        if (!write(step_.bytes, nullptr)) {
            [[maybe_unused]] const py_ref why = take_exception();
            // The application is told by close(), which must come to its end.
            if (std::exchange(raised_, false)) drop_raised();
            call_.give_up();
            step_ = {};
            break;
        }
        step_ = call_.next();
    }
    end();
}

void thread_call::end() {
    thread_ = nullptr;
    // It came too late, and must not meet the thread's next request.
    if (raised_) drop_raised();
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    room_.notify_all();
    ring();
}

bool thread_call::write(std::string_view piece, PyObject*) {
    const thread_call_ptr self(this);
    error_code failed;
    bool over = false;
    bool first = false;
    {
        const gil_release others_turn;
        std::unique_lock lock(mutex_);
        // A client that is slow does not hold the thread, until the file that is kept for it is full.
        room_.wait(lock, [&] { return failed_ || finished_ || unsent_.add(piece); });
        failed = failed_;
        over = finished_;
        first = !std::exchange(rung_, true);
    }
    if (first) ring();
    if (!failed && !over) return true;
    if (over) {
        PyErr_SetString(PyExc_ConnectionError, "the request is over");
        return false;
    }
    client_gone_ = true;
    PyErr_Format(PyExc_ConnectionError, "the client has gone: %s", failed.message().c_str());
    return false;
}

bool thread_call::read_more(std::string&) {
    return true;
}

std::string thread_call::stack() const {
    if (!interpreter::running()) return {};
    const gil_lock gil;
    return thread_ != nullptr ? describe_thread(thread_->thread_id) : std::string();
}

}  // namespace unicoro::python

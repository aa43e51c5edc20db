// SPDX-License-Identifier: MIT
#include "python/greenlet_call.hpp"

#include "log/log.hpp"
#include "python/greenlet_api.hpp"
#include "python/interpreter.hpp"
#include "python/traceback.hpp"

#include <utility>

namespace unicoro::python {
namespace {

constexpr std::size_t piece_size = 64 * 1024;

}  // namespace

greenlet_call::greenlet_call(
    asio::io_context& io,
    wsgi_runtime& runtime,
    app::exchange& request,
    app::spooled_body body,
    wsgi_call::body_kind kind
)
    : bell_(io), request_(request), call_(runtime, request_), body_(std::move(body)), kind_(kind) {}

greenlet_call::~greenlet_call() {
    if (!interpreter::running()) {
        [[maybe_unused]] PyObject* const lost[] = {
            greenlet_.release(), hub_.release(), waiting_.release(), owner_.release()};
        return;
    }
    if (!greenlet_ && !hub_ && !waiting_ && !owner_) return;
    const gil_lock gil;
    greenlet_.reset();
    hub_.reset();
    waiting_.reset();
    owner_.reset();
}

awaitable<void> greenlet_call::run_errand() {
    if (errand_ == errand::write) {
        outcome_ = co_await request_.write(piece_);
    } else {
        const std::span<char> into(arrived_.get(), piece_size);
        const result<std::size_t> got = co_await request_.read_body(into);
        outcome_ = got ? error_code() : got.error();
        arrived_size_ = got ? *got : 0;
    }
    errand_ = errand::none;
}

void greenlet_call::resume() {
    // It may have left its place meanwhile, by an exception that something else raised in it.
    if (!waiting_ || errand_ != errand::none) return;
    const py_ref where = py_ref::borrow(waiting_.get());
    const py_ref came_back = greenlet_api::switch_to(where.get());
    if (!came_back) {
        log::error("a request's greenlet failed\n{}", describe_exception(take_exception().get()));
    }
}

void greenlet_call::interrupt(PyObject* exception) {
    if (finished() || !greenlet_) return;
    interrupted_ = true;
    const py_ref where = py_ref::borrow(greenlet_.get());
    const py_ref came_back = greenlet_api::throw_into(where.get(), exception);
    if (!came_back) {
        log::error("a request's greenlet failed\n{}", describe_exception(take_exception().get()));
    }
}

void greenlet_call::end() {
    errand_ = errand::done;
    bell_.set();
}

void greenlet_call::run(PyObject* greenlet, PyObject* hub) {
    if (request_.detached()) return;
    greenlet_ = py_ref::borrow(greenlet);
    hub_ = py_ref::borrow(hub);
    step_ = call_.begin(std::move(body_), *this, kind_);
    while (step_.what == wsgi_call::action::write) {
        if (!write_step()) {
            call_.give_up();
            step_ = {};
            break;
        }
        step_ = call_.next();
    }
    greenlet_.reset();
    hub_.reset();
    end();
}

// The piece belongs to call_, which is not asked for another one before this one has left.
bool greenlet_call::write_step() {
    if (write(step_.bytes, nullptr)) return true;
    [[maybe_unused]] const py_ref why = take_exception();
    return false;
}

bool greenlet_call::write(std::string_view piece, PyObject* owner) {
    if (errand_ != errand::none && !park()) return false;
    piece_ = piece;
    owner_ = py_ref::borrow(owner);
    if (!send_on(errand::write)) return false;
    owner_.reset();
    if (!outcome_) return true;
    PyErr_Format(PyExc_ConnectionError, "the client has gone: %s", outcome_.message().c_str());
    return false;
}

bool greenlet_call::read_more(std::string& into) {
    if (errand_ != errand::none && !park()) return false;
    if (body_failure_) outcome_ = body_failure_;
    if (!body_failure_) {
        // What an errand that was interrupted has read is still here.
        if (arrived_size_ == 0) {
            if (!arrived_) arrived_ = std::make_unique_for_overwrite<char[]>(piece_size);
            if (!send_on(errand::read)) return false;
        }
        body_failure_ = outcome_;
    }
    if (body_failure_) {
        PyErr_Format(
            PyExc_ConnectionError,
            "the request body could not be read: %s",
            body_failure_.message().c_str()
        );
        return false;
    }
    into.append(arrived_.get(), std::exchange(arrived_size_, 0));
    return true;
}

bool greenlet_call::send_on(errand what) {
    if (request_.detached()) {
        PyErr_SetString(PyExc_ConnectionError, "the request is over");
        return false;
    }
    outcome_ = {};
    errand_ = what;
    bell_.set();
    return park();
}

bool greenlet_call::park() {
    if (waiting_) {
        PyErr_SetString(
            PyExc_RuntimeError, "two greenlets read or write the same request at the same time"
        );
        return false;
    }
    while (errand_ != errand::none) {
        if (request_.detached()) {
            PyErr_SetString(PyExc_ConnectionError, "the request is over");
            return false;
        }
        waiting_ = greenlet_api::current();
        if (waiting_.get() == hub_.get()) {
            waiting_.reset();
            PyErr_SetString(
                PyExc_RuntimeError, "a request cannot be read or written in the hub: it would wait"
            );
            return false;
        }
        const py_ref came_back = greenlet_api::switch_to(hub_.get());
        waiting_.reset();
        if (!came_back) return false;
    }
    return true;
}

std::string greenlet_call::stack() const {
    if (!greenlet_ || !interpreter::running()) return {};
    const gil_lock gil;
    const py_ref frame = py_ref::steal(PyObject_GetAttrString(greenlet_.get(), "gr_frame"));
    return frame ? describe_stack(frame.get()) : std::string();
}

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_greenlet.hpp"

#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/method.hpp"

#include <utility>

namespace unicoro::python {

asgi_greenlet::asgi_greenlet(shared_reactor& reactor, asgi_runner& asgi)
    : reactor_(reactor),
      asgi_(asgi),
      epoll_(reactor.context(), [&reactor] { reactor.interrupt(); }),
      alarm_(reactor.context()) {
    asgi.loop().wait_by(*this);
}

asgi_greenlet::~asgi_greenlet() {
    // One that a coroutine has left waiting for gevent is unwound now, and must not wait again. What
    // ends Python may wait once more.
    reactor_.context().stop();
    greenlet_.reset();
    reactor_.context().restart();
}

bool asgi_greenlet::prepare(PyObject* hub) {
    static PyMethodDef run_method{"asyncio", &asgi_greenlet::run, METH_NOARGS, "Runs asyncio's loop."};
    hub_ = py_ref::borrow(hub);
    const py_ref entry = bound_method(run_method, this);
    const py_ref main = greenlet_api::current();
    if (!entry || !main) return false;
    // The main greenlet is its parent: that is where it ends.
    greenlet_ = greenlet_api::make(entry.get(), main.get());
    return static_cast<bool>(greenlet_);
}

PyObject* asgi_greenlet::run(PyObject* self, PyObject*) {
    auto& here = bound_object<asgi_greenlet>(self);
    here.waits_ = false;
    here.asgi_.drive();
    Py_RETURN_NONE;
}

void asgi_greenlet::go_on() {
    [[maybe_unused]] const py_ref back = greenlet_api::switch_to(greenlet_.get());
    PyErr_Clear();
}

void asgi_greenlet::turn() {
    if (waits_ && is_due()) go_on();
}

void asgi_greenlet::end() {
    if (waits_) go_on();
}

bool asgi_greenlet::is_due() const {
    return epoll_.ready() || asgi_.loop().has_word() || (until_ && *until_ <= clock::now());
}

bool asgi_greenlet::wait(std::optional<clock::time_point> until) {
    if (reactor_.stopped()) return false;
    until_ = until;
    if (!epoll_.ready()) epoll_.arm();
    // Word may have been left before it waited: then the hub must not wait either.
    if (is_due()) {
        reactor_.interrupt();
    } else {
        set_alarm();
    }
    waits_ = true;
    [[maybe_unused]] const py_ref back = greenlet_api::switch_to(hub_.get());
    waits_ = false;
    PyErr_Clear();
    until_ = clock::time_point::min();
    return epoll_.take();
}

void asgi_greenlet::set_alarm() {
    if (!until_ || alarm_.expiry() == *until_) return;
    alarm_.expires_at(*until_);
    alarm_.async_wait([this](error_code failed) {
        if (!failed) reactor_.interrupt();
    });
}

}  // namespace unicoro::python

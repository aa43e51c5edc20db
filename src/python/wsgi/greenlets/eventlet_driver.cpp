// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/eventlet_driver.hpp"

#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace unicoro::python {
namespace {

constexpr double longest_wait = 3600;

PyMethodDef wait_definition{
    "wait", nullptr, METH_O, "Waits in the server's loop; True when eventlet's epoll is ready."
};

}  // namespace

bool eventlet_driver::prepare() {
    if (!greenlet_api::import()) return false;
    wait_definition.ml_meth = &eventlet_driver::wait_method;
    const py_ref waiter = bound_method(wait_definition, this);
    if (waiter) hub_ = package::call("_unicoro.hubs", "eventlet_hub", {waiter.get()});
    if (!hub_ || !requests_.prepare()) return false;
    const py_ref poll = py_ref::steal(PyObject_GetAttrString(hub_.get(), "poll"));
    const int epoll_fd = poll ? PyObject_AsFileDescriptor(poll.get()) : -1;
    if (epoll_fd < 0) return false;
    if (const error_code failed = reactor_.watch(epoll_fd)) {
        PyErr_Format(PyExc_OSError, "cannot watch eventlet's epoll: %s", failed.message().c_str());
        return false;
    }
    main_ = greenlet_api::current();
    return static_cast<bool>(main_);
}

PyObject* eventlet_driver::wait_method(PyObject* self, PyObject* seconds) {
    return bound_object<eventlet_driver>(self).wait(seconds);
}

PyObject* eventlet_driver::wait(PyObject* seconds) {
    const double given = PyFloat_AsDouble(seconds);
    if (given == -1 && PyErr_Occurred() != nullptr) return nullptr;
    const std::chrono::duration<double> limit(std::clamp(given, 0.0, longest_wait));
    const auto until =
        shared_reactor::clock::now() + std::chrono::duration_cast<shared_reactor::clock::duration>(limit);
    const bool ready = reactor_.wait(until);
    if (PyErr_CheckSignals() != 0) return nullptr;
    const py_ref hub = greenlet_api::current();
    requests_.turn(hub.get());
    if (interpreter::forked_away()) Py_RETURN_FALSE;
    if (reactor_.stopped() && !ended_) {
        ended_ = true;
        leave_hub();
    }
    return PyBool_FromLong(ready ? 1 : 0);
}

py_ref eventlet_driver::enter_hub() {
    return py_ref::steal(PyObject_CallMethod(hub_.get(), "switch", nullptr));
}

}  // namespace unicoro::python

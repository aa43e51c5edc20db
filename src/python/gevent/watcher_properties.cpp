// SPDX-License-Identifier: MIT
#include "python/gevent/loop_core.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/watcher.hpp"
#include "python/runtime/py_ref.hpp"

#include <algorithm>

namespace unicoro::python::gevent {
namespace {

template <typename Type = watcher>
Type& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<Type*>(object);
}

PyObject* get_ref(PyObject* object, void*) {
    return PyBool_FromLong(!self_of(object).uncounted);
}

int set_ref(PyObject* object, PyObject* value, void*) {
    watcher& self = self_of(object);
    loop_core* const core = living_core(self.loop);
    if (core == nullptr) return -1;
    const int counted = value != nullptr ? PyObject_IsTrue(value) : -1;
    if (counted < 0) return -1;
    self.uncounted = counted == 0;
    const bool should = self.uncounted && self.active;
    if (should && !self.discounted) core->unref();
    if (!self.uncounted && self.discounted) core->ref();
    self.discounted = self.uncounted && (self.discounted || should);
    return 0;
}

PyObject* get_callback(PyObject* object, void*) {
    return Py_NewRef(self_of(object).callback);
}

int set_callback(PyObject* object, PyObject* value, void*) {
    if (value == nullptr || (value != Py_None && PyCallable_Check(value) == 0)) {
        PyErr_Format(PyExc_TypeError, "Expected callable, not %R", value);
        return -1;
    }
    Py_XSETREF(self_of(object).callback, Py_NewRef(value));
    return 0;
}

PyObject* get_args(PyObject* object, void*) {
    return Py_NewRef(self_of(object).args);
}

int set_args(PyObject* object, PyObject* value, void*) {
    if (value == nullptr || (value != Py_None && !PyTuple_Check(value))) {
        PyErr_SetString(PyExc_TypeError, "args must be a tuple or None");
        return -1;
    }
    Py_XSETREF(self_of(object).args, Py_NewRef(value));
    return 0;
}

/// False with an exception set.
bool may_change(PyObject* object, const char* what) {
    if (!self_of(object).active) return true;
    PyErr_Format(PyExc_AttributeError, "'%s' of an active watcher cannot be changed", what);
    return false;
}

PyObject* get_priority(PyObject* object, void*) {
    return PyLong_FromLong(self_of(object).priority);
}

int set_priority(PyObject* object, PyObject* value, void*) {
    if (!may_change(object, "priority")) return -1;
    const long wanted = PyLong_AsLong(value);
    if (PyErr_Occurred() != nullptr) return -1;
    watcher& self = self_of(object);
    if (self.pending != 0) {
        PyErr_SetString(PyExc_AttributeError, "'priority' of a pending watcher cannot be changed");
        return -1;
    }
    self.priority =
        static_cast<std::int8_t>(std::clamp(wanted, long{lowest_priority}, long{highest_priority}));
    return 0;
}

PyObject* get_active(PyObject* object, void*) {
    return PyBool_FromLong(self_of(object).active);
}

PyObject* get_pending(PyObject* object, void*) {
    return PyBool_FromLong(self_of(object).pending != 0);
}

PyObject* get_sent(PyObject* object, void*) {
    return PyBool_FromLong(self_of<listed_watcher>(object).sent);
}

PyObject* get_fd(PyObject* object, void*) {
    return PyLong_FromLong(self_of<io_watcher>(object).fd);
}

int set_fd(PyObject* object, PyObject* value, void*) {
    if (!may_change(object, "fd")) return -1;
    const long fd = PyLong_AsLong(value);
    if (PyErr_Occurred() != nullptr) return -1;
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError, "fd must be non-negative: %ld", fd);
        return -1;
    }
    self_of<io_watcher>(object).fd = static_cast<int>(fd);
    self_of<io_watcher>(object).events |= event::fresh;
    return 0;
}

PyObject* get_events(PyObject* object, void*) {
    return PyLong_FromLong(self_of<io_watcher>(object).events);
}

int set_events(PyObject* object, PyObject* value, void*) {
    if (!may_change(object, "events")) return -1;
    const long events = PyLong_AsLong(value);
    if (PyErr_Occurred() != nullptr) return -1;
    self_of<io_watcher>(object).events = static_cast<int>(events) | event::fresh;
    return 0;
}

PyObject* get_at(PyObject* object, void*) {
    return PyFloat_FromDouble(self_of<timer_watcher>(object).at);
}

PyObject* get_signum(PyObject* object, void*) {
    return PyLong_FromLong(self_of<listed_watcher>(object).signum);
}

PyObject* get_events_str(PyObject* object, void*) {
    const py_ref events = py_ref::steal(get_events(object, nullptr));
    return events ? call_loop_py("events_to_str", events.get()) : nullptr;
}

PyGetSetDef common[] = {
    {"ref", &get_ref, &set_ref, "Whether it keeps the loop running.", nullptr},
    {"callback", &get_callback, &set_callback, nullptr, nullptr},
    {"args", &get_args, &set_args, nullptr, nullptr},
    {"priority", &get_priority, &set_priority, nullptr, nullptr},
    {"active", &get_active, nullptr, nullptr, nullptr},
    {"pending", &get_pending, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyGetSetDef io[] = {
    {"fd", &get_fd, &set_fd, nullptr, nullptr},
    {"events", &get_events, &set_events, nullptr, nullptr},
    {"events_str", &get_events_str, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyGetSetDef timer[] = {
    {"at", &get_at, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyGetSetDef async[] = {
    {"pending", &get_sent, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyGetSetDef signal[] = {
    {"signalnum", &get_signum, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace

PyGetSetDef* watcher_properties(watcher_kind kind) noexcept {
    switch (kind) {
        case watcher_kind::custom: return common;
        case watcher_kind::io: return io;
        case watcher_kind::timer: return timer;
        case watcher_kind::async: return async;
        case watcher_kind::signal: return signal;
        default: return nullptr;
    }
}

}  // namespace unicoro::python::gevent

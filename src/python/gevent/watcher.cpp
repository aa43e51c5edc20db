// SPDX-License-Identifier: MIT
#include "python/gevent/watcher.hpp"

#include "python/gevent/call_args.hpp"
#include "python/gevent/loop_core.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/runtime/py_ref.hpp"

#include <utility>

namespace unicoro::python::gevent {
namespace {

void own(watcher& self) noexcept {
    if (std::exchange(self.owns_itself, true)) return;
    Py_INCREF(reinterpret_cast<PyObject*>(&self));
}

void discount(watcher& self, loop_core& core) noexcept {
    if (!self.uncounted || self.discounted) return;
    core.unref();
    self.discounted = true;
}

bool run_hook(watcher& self, const char* name) {
    const py_ref done = py_ref::steal(PyObject_CallMethod(reinterpret_cast<PyObject*>(&self), name, nullptr));
    return static_cast<bool>(done);
}

bool take_callback(watcher& self, PyObject* callback, PyObject* args) {
    if (PyCallable_Check(callback) == 0) {
        PyErr_Format(PyExc_TypeError, "Expected callable, not %R", callback);
        return false;
    }
    Py_XSETREF(self.callback, Py_NewRef(callback));
    Py_XSETREF(self.args, Py_NewRef(args));
    return true;
}

/// The arguments with the events in the first place, where the marker is.
py_ref with_events(PyObject* args, int events) {
    const Py_ssize_t count = PyTuple_GET_SIZE(args);
    py_ref told = py_ref::steal(PyTuple_New(count));
    PyObject* const number = PyLong_FromLong(events);
    if (!told || number == nullptr) return {};
    PyTuple_SET_ITEM(told.get(), 0, number);
    for (Py_ssize_t i = 1; i < count; ++i) {
        PyTuple_SET_ITEM(told.get(), i, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    return told;
}

}  // namespace

bool start_watcher(watcher& self, PyObject* callback, PyObject* args) {
    loop_core* const core = living_core(self.loop);
    if (core == nullptr || !take_callback(self, callback, args)) return false;
    const bool begins = !self.active;
    if (!core->start(self)) return false;
    discount(self, *core);
    own(self);
    return self.kind != watcher_kind::custom || !begins || run_hook(self, "_begin");
}

bool stop_watcher(watcher& self) {
    loop_core* const core = living_core(self.loop);
    if (core == nullptr) return false;
    if (std::exchange(self.discounted, false)) core->ref();
    Py_XSETREF(self.callback, Py_NewRef(Py_None));
    Py_XSETREF(self.args, Py_NewRef(Py_None));
    const bool ends = self.active;
    core->stop(self);
    // The last reference may be the one it holds.
    const py_ref alive = py_ref::borrow(reinterpret_cast<PyObject*>(&self));
    if (std::exchange(self.owns_itself, false)) Py_DECREF(alive.get());
    return self.kind != watcher_kind::custom || !ends || run_hook(self, "_end");
}

bool again_watcher(timer_watcher& self, PyObject* callback, PyObject* args, bool update) {
    loop_core* const core = living_core(self.loop);
    if (core == nullptr || !take_callback(self, callback, args)) return false;
    if (update) core->update_now();
    core->again(self);
    if (self.active) {
        discount(self, *core);
        own(self);
    }
    return true;
}

bool feed_watcher(watcher& self, int events, PyObject* callback, PyObject* args) {
    loop_core* const core = living_core(self.loop);
    if (core == nullptr || !take_callback(self, callback, args)) return false;
    discount(self, *core);
    core->feed(self, events);
    own(self);
    return true;
}

void invoke_watcher(watcher& self, int events) {
    const py_ref alive = py_ref::borrow(reinterpret_cast<PyObject*>(&self));
    const py_ref loop = py_ref::borrow(reinterpret_cast<PyObject*>(self.loop));
    const py_ref callback = py_ref::borrow(self.callback);
    py_ref args = py_ref::borrow(self.args);
    py_ref done;
    if (args.get() == Py_None) args = py_ref::steal(PyTuple_New(0));
    const Py_ssize_t count = args ? PyTuple_GET_SIZE(args.get()) : -1;
    if (count > 0 && PyTuple_GET_ITEM(args.get(), 0) == events_marker()) {
        args = with_events(args.get(), events);
    }
    if (args) done = py_ref::steal(PyObject_Call(callback.get(), args.get(), nullptr));

    bool stops = false;
    if (!done) {
        // Its owner has not got to stopping it, and it would be called again and again.
        stops = self.kind == watcher_kind::io;
        loop_core* const core = self.loop->core;
        if (core != nullptr) core->report(alive.get());
    }
    if (self.loop->core == nullptr) return;
    if (self.active && !stops) return;
    const bool ours = (Py_TYPE(alive.get())->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0;
    const bool ok = ours ? stop_watcher(self) : run_hook(self, "stop");
    if (!ok && self.loop->core != nullptr) self.loop->core->report(alive.get());
}

PyObject*& events_marker() noexcept {
    static PyObject* marker = nullptr;
    return marker;
}

}  // namespace unicoro::python::gevent

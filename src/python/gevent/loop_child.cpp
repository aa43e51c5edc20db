// SPDX-License-Identifier: MIT
#include "python/gevent/loop_core.hpp"
#include "python/gevent/watcher.hpp"

#include <utility>
#include <vector>

namespace unicoro::python::gevent {
namespace {

// Its callback is not let go of: with the last reference to a greenlet its code would run once more.
void leave_behind(watcher& self) noexcept {
    self.callback = Py_NewRef(Py_None);
    self.args = Py_NewRef(Py_None);
    self.pending = 0;
    self.active = self.owns_itself = self.discounted = false;
}

bool is_one_of(PyObject* list, PyObject* wanted) noexcept {
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(list); ++at) {
        if (PyList_GET_ITEM(list, at) == wanted) return true;
    }
    return false;
}

/// As a timeout does: it calls a method of the greenlet, or a function with that as its first argument.
bool is_for(const watcher& self, PyObject* own) noexcept {
    PyObject* receiver = nullptr;
    if (PyCFunction_Check(self.callback)) receiver = PyCFunction_GET_SELF(self.callback);
    if (PyMethod_Check(self.callback)) receiver = PyMethod_GET_SELF(self.callback);
    if (receiver != nullptr && is_one_of(own, receiver)) return true;
    return PyTuple_Check(self.args) && PyTuple_GET_SIZE(self.args) > 0 &&
           is_one_of(own, PyTuple_GET_ITEM(self.args, 0));
}

long weight(const watcher& self) noexcept {
    return self.discounted ? 0 : 1;
}

}  // namespace

bool loop_core::begin_child(PyObject* own, PyObject* others) {
    abandon_callbacks();
    active_ = 0;
    std::vector<pending_queue::entry> pending;
    for (auto next = pending_.take(); next.which != nullptr; next = pending_.take()) {
        pending.push_back(next);
    }
    std::vector<timer_watcher*> kept;
    while (!timers_.empty()) {
        timer_watcher& each = timers_.first();
        timers_.remove(each);
        if (is_for(each, own)) {
            kept.push_back(&each);
            continue;
        }
        each.at -= now_;
        leave_behind(each);
    }
    for (timer_watcher* each : kept) {
        timers_.insert(*each);
        active_ += weight(*each);
    }
    for (io_watcher* each : fds_.release_all()) leave_behind(*each);
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(others); ++at) {
        leave_behind(*reinterpret_cast<watcher*>(PyList_GET_ITEM(others, at)));
    }
    for (std::size_t kind = 0; kind < lists_.size(); ++kind) {
        const auto which = static_cast<watcher_kind>(kind);
        const bool stays = which == watcher_kind::signal || which == watcher_kind::fork;
        for (listed_watcher* each : lists_[kind]) {
            each->sent = false;
            if (stays) active_ += weight(*each);
            if (!stays) leave_behind(*each);
        }
        if (!stays) lists_[kind].clear();
    }
    sent_ = 0;
    for (const pending_queue::entry& each : pending) {
        const bool timer = each.which->kind == watcher_kind::timer;
        if (timer && is_for(*each.which, own)) {
            pending_.add(*each.which, each.events);
        } else if (each.which->kind != watcher_kind::signal) {
            leave_behind(*each.which);
        }
    }
    return reinit();
}

void loop_core::abandon_callbacks() noexcept {
    while (!callbacks_.empty()) {
        callback_object* const each = callbacks_.take();
        // To whoever has it, it is as if it had been stopped.
        each->callback = Py_NewRef(Py_None);
        each->args = Py_NewRef(Py_None);
    }
}

}  // namespace unicoro::python::gevent

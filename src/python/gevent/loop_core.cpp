// SPDX-License-Identifier: MIT
#include "python/gevent/loop_core.hpp"

#include "python/gevent/loop_object.hpp"
#include "python/gevent/server_seat.hpp"
#include "python/loop/shared_reactor.hpp"
#include "python/runtime/py_ref.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace unicoro::python::gevent {
namespace {

// The time of day may be set while the loop runs.
constexpr double epoch_life = 0.5;

template <typename Clock>
double seconds() noexcept {
    return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

bool raise(const error_code& failed) {
    if (!failed) return true;
    errno = failed.value();
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
}

}  // namespace

struct loop_core::own_reactor {
    asio::io_context io{1};
    shared_reactor reactor{io};
};

loop_core::loop_core(loop_object& owner, bool is_default)
    : owner_(owner), default_(is_default), fork_(fork_count()) {}

loop_core::~loop_core() {
    callbacks_.clear();
    if (signals_.is_open() && default_ && on_main_thread()) {
        const py_ref none = py_ref::steal(PyLong_FromLong(-1));
        if (!py_ref::steal(call_loop_py("watch_python_signals", none.get()))) PyErr_Clear();
    }
    if (reactor_ != nullptr) reactor_->unwatch();
    // A parent's: what closes it might reach into what both processes share.
    if (fork_ != fork_count()) static_cast<void>(own_.release());
}

std::unique_ptr<loop_core> loop_core::make(loop_object& owner, bool is_default) {
    std::unique_ptr<loop_core> made(new loop_core(owner, is_default));
    if (!made->open()) return nullptr;
    made->update_now();
    return made;
}

bool loop_core::open() {
    if (default_ && the_seat().reactor != nullptr && on_main_thread()) {
        reactor_ = the_seat().reactor;
    } else {
        own_ = std::make_unique<own_reactor>();
        reactor_ = &own_->reactor;
    }
    return reopen_fds();
}

bool loop_core::reopen_fds() {
    if (!raise(fds_.open())) return false;
    if (signals_.is_open() && !raise(fds_.add_bare(signals_.read_end()))) return false;
    return raise(reactor_->watch(fds_.epoll_fd()));
}

bool loop_core::ready_signals() {
    if (signals_.is_open()) return true;
    return open_signals() && raise(fds_.add_bare(signals_.read_end()));
}

bool loop_core::open_signals() {
    if (!raise(signals_.open())) return false;
    if (!default_ || !on_main_thread()) return true;
    // Python's handlers only leave word, and the reactor does not return for a signal.
    const py_ref pipe = py_ref::steal(PyLong_FromLong(signals_.write_end()));
    return pipe && py_ref::steal(call_loop_py("watch_python_signals", pipe.get()));
}

bool loop_core::reinit() {
    forked_ = true;
    if (fork_ == fork_count()) return reopen_fds();
    fork_ = fork_count();
    // Left as they are: what closes them might reach into what both processes share. The parent's
    // io_context also holds its connections, which are none of this process's business.
    static_cast<void>(own_.release());
    own_ = std::make_unique<own_reactor>();
    reactor_ = &own_->reactor;
    if (signals_.is_open() && !open_signals()) return false;
    return reopen_fds();
}

void loop_core::update_now() noexcept {
    now_ = seconds<std::chrono::steady_clock>();
    if (now_ - epoch_read_ > epoch_life || epoch_read_ == 0) {
        epoch_ = seconds<std::chrono::system_clock>() - now_;
        epoch_read_ = now_;
    }
}

bool loop_core::start(watcher& which) {
    if (which.active) return true;
    switch (which.kind) {
        case watcher_kind::io: fds_.add(static_cast<io_watcher&>(which)); break;
        case watcher_kind::timer: {
            auto& timer = static_cast<timer_watcher&>(which);
            timer.at += now_;
            timers_.insert(timer);
            break;
        }
        case watcher_kind::custom: break;
        default: {
            auto& listed = static_cast<listed_watcher&>(which);
            if (which.kind == watcher_kind::signal && !start_signal(listed)) return false;
            auto& members = list(which.kind);
            listed.place = static_cast<std::uint32_t>(members.size());
            listed.sent = false;
            members.push_back(&listed);
        }
    }
    which.active = true;
    ++active_;
    return true;
}

bool loop_core::start_signal(listed_watcher& which) {
    if (!ready_signals()) return false;
    for (const listed_watcher* each : list(watcher_kind::signal)) {
        if (each->signum == which.signum) return true;
    }
    return raise(signals_.catch_signal(which.signum));
}

void loop_core::stop_listed(listed_watcher& which) noexcept {
    auto& members = list(which.kind);
    members[which.place] = members.back();
    members[which.place]->place = which.place;
    members.pop_back();
    if (which.sent) {
        which.sent = false;
        --sent_;
    }
    if (which.kind != watcher_kind::signal) return;
    const auto same = [&](const listed_watcher* each) { return each->signum == which.signum; };
    if (std::none_of(members.begin(), members.end(), same)) signals_.release_signal(which.signum);
}

void loop_core::stop(watcher& which) noexcept {
    pending_.remove(which);
    if (!which.active) return;
    switch (which.kind) {
        case watcher_kind::io: fds_.remove(static_cast<io_watcher&>(which)); break;
        case watcher_kind::timer: {
            auto& timer = static_cast<timer_watcher&>(which);
            timers_.remove(timer);
            timer.at -= now_;
            break;
        }
        case watcher_kind::custom: break;
        default: stop_listed(static_cast<listed_watcher&>(which));
    }
    which.active = false;
    --active_;
}

void loop_core::again(timer_watcher& which) {
    pending_.remove(which);
    if (which.active && which.repeat > 0) {
        which.at = now_ + which.repeat;
        timers_.moved(which);
    } else if (which.active) {
        stop(which);
    } else if (which.repeat > 0) {
        which.at = which.repeat;
        static_cast<void>(start(which));  // fails for signals only
    }
}

void loop_core::send(listed_watcher& which) {
    if (which.sent) return;
    which.sent = true;
    // Before it is started it only takes note.
    if (!which.active) return;
    ++sent_;
    if (waits_) reactor_->wake();
}

PyObject* loop_core::run_soon(PyObject* function, PyObject* args) {
    callback_object* const made = make_callback(function, args);
    if (made == nullptr) return nullptr;
    callbacks_.append(made);
    ++active_;
    if (waits_ && callbacks_.first() == made) reactor_->wake();
    return reinterpret_cast<PyObject*>(made);
}

void loop_core::forget_callbacks() noexcept {
    while (!callbacks_.empty()) {
        Py_DECREF(callbacks_.take());
        --active_;
    }
}

bool loop_core::closing(int fd) {
    const std::size_t before = pending_.size();
    fds_.feed(fd, event::read | event::write, pending_);
    return pending_.size() > before;
}

void loop_core::report(PyObject* context) noexcept {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != nullptr) PyException_SetTraceback(value, trace);
    const py_ref owned_type = py_ref::steal(type);
    const py_ref owned_value = py_ref::steal(value);
    const py_ref owned_trace = py_ref::steal(trace);
    const auto or_none = [](const py_ref& each) { return each ? each.get() : Py_None; };
    const py_ref done = py_ref::steal(PyObject_CallMethod(
        reinterpret_cast<PyObject*>(&owner_),
        "handle_error",
        "OOOO",
        context,
        or_none(owned_type),
        or_none(owned_value),
        or_none(owned_trace)
    ));
    if (!done) PyErr_WriteUnraisable(reinterpret_cast<PyObject*>(&owner_));
}

}  // namespace unicoro::python::gevent

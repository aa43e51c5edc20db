// SPDX-License-Identifier: MIT
#include "python/gevent/gevent_loop.hpp"
#include "python/gevent/loop_core.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/server_seat.hpp"
#include "python/loop/shared_reactor.hpp"
#include "python/runtime/py_ref.hpp"

#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

namespace unicoro::python::gevent {
namespace {

using clock = shared_reactor::clock;

// So many callbacks run between two looks at the clock.
constexpr int callbacks_between_looks = 50;

clock::time_point to_point(double seconds) noexcept {
    // Beyond that it is for ever, and would overflow.
    constexpr double most = 9e9;
    if (seconds >= most) return clock::time_point::max();
    return clock::time_point(std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds
    )));
}

/// How long Python lets a thread run when others want to; gevent's limit for callbacks, too.
double switch_interval() noexcept {
    constexpr double usual = 0.005;
    PyObject* const function = PySys_GetObject("getswitchinterval");
    const py_ref answer = py_ref::steal(function != nullptr ? PyObject_CallNoArgs(function) : nullptr);
    const double seconds = answer ? PyFloat_AsDouble(answer.get()) : usual;
    PyErr_Clear();
    return seconds > 0 ? seconds : usual;
}

}  // namespace

bool loop_core::in_server() const noexcept {
    return the_seat().reactor == reactor_;
}

bool loop_core::has_work() const noexcept {
    return active_ > 0 || (in_server() && the_seat().held > 0);
}

void loop_core::run(run_mode mode) {
    done_ = false;
    ++depth_;
    if (default_ && on_main_thread() && !ready_signals()) report(Py_None);
    invoke_pending();
    do {
        turn(mode);
    } while (!done_ && mode == run_mode::until_done && has_work());
    --depth_;
    done_ = false;
}

void loop_core::follow_fork() {
    if ((fork_ != fork_count() && !reinit()) || (out_of_step_ && !reopen_fds())) report(Py_None);
    out_of_step_ = false;
    if (std::exchange(forked_, false)) {
        collect_list(watcher_kind::fork, event::fork);
        invoke_pending();
    }
}

void loop_core::turn(run_mode mode) {
    ++turns_;
    follow_fork();
    collect_list(watcher_kind::prepare, event::prepare);
    invoke_pending();
    run_callbacks();
    if (done_) return;
    const bool ready = wait(mode);
    update_now();
    if (in_server()) serve();
    collect(ready);
    invoke_pending();
}

void loop_core::serve() {
    server_seat& seat = the_seat();
    if (seat.turn != nullptr) seat.turn->run();
    if (std::exchange(seat.leaves, false) || reactor_->stopped()) done_ = true;
}

void loop_core::run_callbacks() {
    if (callbacks_.empty()) return;
    runs_callbacks_ = true;
    const double began = now_;
    int until_look = callbacks_between_looks;
    // Those that are added meanwhile run, too, until they have taken their share of time.
    while (!callbacks_.empty()) {
        const py_ref owned = py_ref::steal(reinterpret_cast<PyObject*>(callbacks_.take()));
        auto& each = *reinterpret_cast<callback_object*>(owned.get());
        --active_;
        if (each.callback != Py_None && each.args != Py_None) {
            if (default_ && PyErr_CheckSignals() != 0) report(Py_None);
            const py_ref function = py_ref::steal(std::exchange(each.callback, Py_NewRef(Py_None)));
            const py_ref args = py_ref::borrow(each.args);
            const py_ref done = py_ref::steal(PyObject_Call(function.get(), args.get(), nullptr));
            if (!done) report(owned.get());
            Py_SETREF(each.args, Py_NewRef(Py_None));
        }
        if (--until_look == 0 && !callbacks_.empty()) {
            until_look = callbacks_between_looks;
            update_now();
            if (now_ - began >= switch_interval()) break;
        }
    }
    update_now();
    runs_callbacks_ = false;
}

void loop_core::apply_fds() {
    fds_.apply(lost_);
    for (io_watcher* each : lost_) {
        stop(*each);
        pending_.add(*each, event::error | event::read | event::write);
    }
    lost_.clear();
}

bool loop_core::may_block(run_mode mode) noexcept {
    return mode != run_mode::one_turn_nowait && has_work() && callbacks_.empty() && pending_.empty() &&
           sent_ == 0 && list(watcher_kind::idle).empty() && !fds_.always_ready() && !done_;
}

bool loop_core::wait(run_mode mode) {
    apply_fds();
    std::optional<clock::time_point> until = clock::time_point::min();
    if (may_block(mode)) {
        until.reset();
        if (!timers_.empty()) until = to_point(timers_.first().at);
    }
    waits_ = true;
    const bool ready = reactor_->wait(until);
    waits_ = false;
    return ready;
}

void loop_core::collect(bool ready) {
    if (ready) {
        const fd_table::news found = fds_.collect(pending_);
        out_of_step_ = out_of_step_ || found.out_of_step;
        if (found.bare) collect_signals();
    }
    if (fds_.always_ready()) fds_.collect_files(pending_);
    for (auto* each : list(watcher_kind::async)) {
        if (sent_ == 0) break;
        if (!std::exchange(each->sent, false)) continue;
        --sent_;
        pending_.add(*each, event::async);
    }
    collect_timers();
    collect_idle();
    collect_list(watcher_kind::check, event::check);
}

void loop_core::collect_signals() {
    signals_.drain();
    if (default_ && PyErr_CheckSignals() != 0) report(Py_None);
    auto& watchers = list(watcher_kind::signal);
    for (std::size_t i = 0; i < watchers.size(); ++i) {
        if (!signal_pipe::take(watchers[i]->signum)) continue;
        for (auto* each : watchers) {
            if (each->signum == watchers[i]->signum) pending_.add(*each, event::signal);
        }
    }
}

void loop_core::collect_timers() {
    std::vector<timer_watcher*>& due = due_;
    while (!timers_.empty() && timers_.first().at <= now_) {
        timer_watcher& first = timers_.first();
        due.push_back(&first);
        if (first.repeat > 0) {
            first.at += first.repeat;
            if (first.at <= now_) first.at = std::nextafter(now_, now_ + 1);
            timers_.moved(first);
        } else {
            stop(first);
        }
    }
    // The last one in is the first one out.
    for (std::size_t i = due.size(); i-- > 0;) pending_.add(*due[i], event::timer);
    due.clear();
}

void loop_core::collect_idle() {
    if (list(watcher_kind::idle).empty()) return;
    for (int priority = highest_priority; priority >= lowest_priority; --priority) {
        if (pending_.has_priority(priority)) return;
        bool any = false;
        for (auto* each : list(watcher_kind::idle)) {
            if (each->priority != priority) continue;
            pending_.add(*each, event::idle);
            any = true;
        }
        if (any) return;
    }
}

void loop_core::collect_list(watcher_kind kind, int event) {
    for (auto* each : list(kind)) pending_.add(*each, event);
}

void loop_core::invoke_pending() {
    for (auto next = pending_.take(); next.which != nullptr; next = pending_.take()) {
        if (default_ && PyErr_CheckSignals() != 0) report(Py_None);
        invoke_watcher(*next.which, next.events);
    }
}

}  // namespace unicoro::python::gevent

// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/thread_pool.hpp"

#include "python/runtime/gil.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/package.hpp"

#include <utility>

namespace unicoro::python {
namespace {

// Together half of the time that a worker that must end has, from the end of its requests on.
constexpr int joins = 10;
constexpr double seconds_of_a_join = 0.1;

PyMethodDef entry_method{"work", nullptr, METH_NOARGS, "Runs requests until the worker ends."};

}  // namespace

bool thread_pool::start(std::size_t count) {
    entry_method.ml_meth = &thread_pool::enter;
    const py_ref entry = bound_method(entry_method, this);
    const py_ref start_thread = package::find("_unicoro.call_ends", "start_thread");
    if (!entry || !start_thread) return false;
    for (std::size_t number = 0; number < count; ++number) {
        py_ref thread = py_ref::steal(
            PyObject_CallFunction(start_thread.get(), "On", entry.get(), static_cast<Py_ssize_t>(number))
        );
        if (!thread) return false;
        threads_.push_back(std::move(thread));
    }
    return true;
}

void thread_pool::submit(thread_call_ptr call) {
    std::unique_lock lock(mutex_);
    waiting_.push_back(std::move(call));
    wake_one(lock);
}

void thread_pool::retire(thread_call_ptr call) {
    std::unique_lock lock(mutex_);
    retired_.push_back(std::move(call));
    wake_one(lock);
}

void thread_pool::wake_one(std::unique_lock<std::mutex>& held) {
    if (waking_ || idle_.empty()) return;
    waking_ = true;
    seat* const chosen = idle_.back();
    idle_.pop_back();
    chosen->called = true;
    chosen->bell.notify_one();
    held.unlock();
}

PyObject* thread_pool::enter(PyObject* self, PyObject*) {
    bound_object<thread_pool>(self).work();
    Py_RETURN_NONE;
}

void thread_pool::work() {
    seat own;
    bool called = false;
    for (;;) {
        std::vector<thread_call_ptr> gone;
        thread_call_ptr call;
        {
            std::unique_lock lock(mutex_);
            if (std::exchange(called, false)) waking_ = false;
            gone.swap(retired_);
            if (stopping_) return;
            if (!waiting_.empty()) {
                call = std::move(waiting_.front());
                waiting_.pop_front();
                if (!waiting_.empty()) wake_one(lock);
            }
        }
        gone.clear();
        if (call) {
            call->run();
            continue;
        }
        const gil_release others_turn;
        std::unique_lock lock(mutex_);
        if (stopping_ || !waiting_.empty() || !retired_.empty()) continue;
        own.called = false;
        idle_.push_back(&own);
        own.bell.wait(lock, [&own] { return own.called; });
        called = true;
    }
}

bool thread_pool::stop(const std::function<void()>& alive) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (seat* const each : idle_) {
            each->called = true;
            each->bell.notify_one();
        }
        idle_.clear();
    }
    for (int count = 0; count < joins; ++count) {
        alive();
        if (join(seconds_of_a_join)) {
            threads_.clear();
            return true;
        }
    }
    return false;
}

bool thread_pool::join(double seconds) {
    const py_ref join = package::find("_unicoro.call_ends", "join_threads");
    const py_ref list = py_ref::steal(PyList_New(0));
    for (py_ref& each : threads_) {
        if (list && PyList_Append(list.get(), each.get()) != 0) PyErr_Clear();
    }
    py_ref joined;
    if (join && list) {
        joined = py_ref::steal(PyObject_CallFunction(join.get(), "Od", list.get(), seconds));
    }
    PyErr_Clear();
    return joined.get() == Py_True;
}

}  // namespace unicoro::python

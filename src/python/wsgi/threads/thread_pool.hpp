// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/threads/thread_call.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace unicoro::python {

/// Threads of Python (threading.Thread) that run requests. The thread that rested last is woken
/// first, and no second one as long as one is still on its way to the GIL: it may take the work of
/// both, and where it does not, it wakes the next.
class thread_pool {
  public:
    thread_pool() = default;
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() = default;

    /// Starts them. With the GIL. False with a Python exception set.
    [[nodiscard]] bool start(std::size_t count);

    /// In the order of coming. On the loop's thread, without the GIL.
    void submit(thread_call_ptr call);

    /// Lets go of a call whose end needs the GIL, on a thread of the pool.
    void retire(thread_call_ptr call);

    /// No thread takes another request; waits for those that are in one, for a while, and calls `alive`
    /// now and then. False when one still is: the pool and what it works on must be left to it. With the
    /// GIL.
    [[nodiscard]] bool stop(const std::function<void()>& alive);

  private:
    struct seat {
        std::condition_variable bell;
        bool called = false;
    };

    static PyObject* enter(PyObject* self, PyObject*);
    void work();
    void wake_one(std::unique_lock<std::mutex>& held);
    [[nodiscard]] bool join(double seconds);

    std::mutex mutex_;
    std::deque<thread_call_ptr> waiting_;
    std::vector<thread_call_ptr> retired_;
    std::vector<seat*> idle_;
    std::vector<py_ref> threads_;
    bool waking_ = false;
    bool stopping_ = false;
};

}  // namespace unicoro::python

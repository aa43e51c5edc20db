// SPDX-License-Identifier: MIT
#include "python/runtime/gil.hpp"

#include <unistd.h>

#include <utility>

namespace unicoro::python {
namespace {

thread_local PyThreadState* parked = nullptr;
thread_local std::chrono::nanoseconds waited_so_far{};

// Before 3.14 CPython ends a thread that wants in while the interpreter ends by pthread_exit, whose
// unwinding would meet our noexcept functions, and that is std::terminate. It stays here instead, as from
// 3.14 on, until the process ends.
class stays_when_unwound {
  public:
    stays_when_unwound() noexcept = default;
    stays_when_unwound(const stays_when_unwound&) = delete;
    stays_when_unwound& operator=(const stays_when_unwound&) = delete;
    ~stays_when_unwound() {
        while (!inside_) pause();
    }
    void came_in() noexcept { inside_ = true; }

  private:
    bool inside_ = false;
};

void come_in(PyThreadState* as) {
    stays_when_unwound unless_inside;
    PyEval_RestoreThread(as);
    unless_inside.came_in();
}

PyGILState_STATE come_in() {
    stays_when_unwound unless_inside;
    const PyGILState_STATE entered = PyGILState_Ensure();
    unless_inside.came_in();
    return entered;
}

}  // namespace

gil_visit::gil_visit() noexcept : entered_(come_in()) {}

gil_visit::~gil_visit() {
    PyGILState_Release(entered_);
}

void gil_parking::leave() noexcept {
    parked = PyEval_SaveThread();
}

void gil_parking::enter() noexcept {
    const auto before = std::chrono::steady_clock::now();
    come_in(std::exchange(parked, nullptr));
    waited_so_far += std::chrono::steady_clock::now() - before;
}

std::chrono::nanoseconds gil_parking::waited() noexcept {
    return waited_so_far;
}

gil_lock::gil_lock() noexcept : outermost_(parked != nullptr) {
    if (outermost_) gil_parking::enter();
}

gil_lock::~gil_lock() {
    if (outermost_) gil_parking::leave();
}

gil_release::gil_release() noexcept : outermost_(parked == nullptr) {
    if (outermost_) gil_parking::leave();
}

gil_release::~gil_release() {
    if (outermost_) gil_parking::enter();
}

}  // namespace unicoro::python

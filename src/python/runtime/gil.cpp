// SPDX-License-Identifier: MIT
#include "python/runtime/gil.hpp"

#include <utility>

namespace unicoro::python {
namespace {

thread_local PyThreadState* parked = nullptr;

}  // namespace

void gil_parking::leave() noexcept {
    parked = PyEval_SaveThread();
}

void gil_parking::enter() noexcept {
    PyEval_RestoreThread(std::exchange(parked, nullptr));
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

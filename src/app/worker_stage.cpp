// SPDX-License-Identifier: MIT
#include "app/worker_stage.hpp"

#include <atomic>

namespace unicoro {
namespace {

std::atomic<bool> drains{false};
std::atomic<bool> stops{false};

}  // namespace

bool draining() noexcept {
    return drains.load(std::memory_order_relaxed);
}

bool stopping() noexcept {
    return stops.load(std::memory_order_relaxed);
}

namespace app {

void now_draining() noexcept {
    drains.store(true, std::memory_order_relaxed);
}

void now_stopping() noexcept {
    stops.store(true, std::memory_order_relaxed);
}

}  // namespace app
}  // namespace unicoro

// SPDX-License-Identifier: MIT
#include "worker/loop_stack.hpp"

#include <chrono>

namespace unicoro::worker {
namespace {

constexpr std::chrono::milliseconds patience{500};

}  // namespace

loop_stack::loop_stack(app::host& host) : host_(host) {
    if (host.runs_native_code()) native_.emplace();
}

std::string loop_stack::take(const std::function<bool()>& still_held) {
    const std::lock_guard alone(one_at_a_time_);
    const std::string native = native_ ? native_->take(patience) : std::string();
    std::string stack = host_.stack_of_loop();
    return stack.empty() || !still_held() ? native : stack;
}

}  // namespace unicoro::worker

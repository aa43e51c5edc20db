// SPDX-License-Identifier: MIT
#include "worker/handshake_places.hpp"

#include <utility>

namespace unicoro::worker {

void handshake_places::wake_first() {
    if (!waiting_.empty() && any_free()) waiting_.front()->turn_.set();
}

handshake_place::~handshake_place() {
    leave();
}

awaitable<bool> handshake_place::enter() {
    if (taken_) co_return true;
    // Who waits already goes first.
    const auto here = of_.waiting_.insert(of_.waiting_.end(), this);
    while (!cancelled_ && (of_.waiting_.front() != this || !of_.any_free())) {
        const auto [failed] = co_await turn_.wait();
        if (failed) break;
    }
    of_.waiting_.erase(here);
    taken_ = !cancelled_ && of_.any_free();
    if (taken_) ++of_.taken_;
    of_.wake_first();
    co_return taken_;
}

void handshake_place::leave() {
    if (!std::exchange(taken_, false)) return;
    --of_.taken_;
    of_.wake_first();
}

void handshake_place::cancel() {
    cancelled_ = true;
    turn_.set();
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#include "worker/exchange_pool.hpp"

#include "base/poison.hpp"
#include "worker/http1_exchange.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

// Enough for the requests that run at one moment in a fast application; a burst beyond is freed.
constexpr std::size_t kept = 64;

}  // namespace

exchange_pool::exchange_pool(serving& shared) : shared_(shared) {
    free_.reserve(kept);
}

exchange_pool::~exchange_pool() {
    for (const auto& each : free_) base::unpoison(each.get(), sizeof(http1_exchange));
}

exchange_pool::lease exchange_pool::take(http1_connection& for_whom) {
    std::unique_ptr<http1_exchange> taken;
    if (free_.empty()) {
        taken = std::make_unique<http1_exchange>(shared_);
    } else {
        taken = std::move(free_.back());
        free_.pop_back();
        base::unpoison(taken.get(), sizeof(http1_exchange));
    }
    taken->attach(for_whom);
    return {*this, std::move(taken)};
}

exchange_pool::lease::lease(exchange_pool& pool, std::unique_ptr<http1_exchange> held) noexcept
    : pool_(&pool), held_(std::move(held)) {}

exchange_pool::lease::~lease() {
    if (!held_) return;
    held_->detach();
    if (pool_->free_.size() == kept || !base::pools_are_on()) return;
    base::poison(held_.get(), sizeof(http1_exchange));
    pool_->free_.push_back(std::move(held_));
}

}  // namespace unicoro::worker

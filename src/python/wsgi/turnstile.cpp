// SPDX-License-Identifier: MIT
#include "python/wsgi/turnstile.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>

namespace unicoro::python {

/// A place in line. It lives in the frame of the waiting coroutine, so it also leaves the line when
/// that frame is destroyed.
class turnstile::waiter {
  public:
    explicit waiter(turnstile& where)
        : where_(where), before_(where.last_), bell_(where.io_, clock::time_point::max()) {
        (before_ != nullptr ? before_->after_ : where_.first_) = this;
        where_.last_ = this;
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() {
        if (!called_) {
            leave_line();
        } else if (!entered_) {
            where_.pass_on();
        }
    }

    /// Out of the line: the turn is its own from now on.
    void call() noexcept {
        leave_line();
        called_ = true;
        bell_.cancel();
    }

    [[nodiscard]] auto wait() { return bell_.async_wait(as_tuple); }

    [[nodiscard]] turn collect() noexcept {
        if (!called_) return {};
        entered_ = true;
        return turn(where_);
    }

  private:
    using clock = std::chrono::steady_clock;

    void leave_line() noexcept {
        (before_ != nullptr ? before_->after_ : where_.first_) = after_;
        (after_ != nullptr ? after_->before_ : where_.last_) = before_;
        before_ = after_ = nullptr;
    }

    turnstile& where_;
    waiter* before_;
    waiter* after_ = nullptr;
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor> bell_;
    bool called_ = false;
    bool entered_ = false;
};

turnstile::turn turnstile::try_enter() noexcept {
    if (taken_) return {};
    taken_ = true;
    return turn(*this);
}

awaitable<turnstile::turn> turnstile::enter() {
    turn mine = try_enter();
    if (mine) co_return mine;
    waiter place(*this);
    [[maybe_unused]] const auto [ec] = co_await place.wait();
    mine = place.collect();
    co_return mine;
}

void turnstile::pass_on() noexcept {
    if (first_ == nullptr) {
        taken_ = false;
    } else {
        first_->call();
    }
}

}  // namespace unicoro::python

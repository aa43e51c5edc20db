// SPDX-License-Identifier: MIT
#include "aio/event.hpp"

#include "aio/handler_memory.hpp"
#include "aio/recycled.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace unicoro::aio {

// any_completion_handler of Boost 1.81 wraps itself without end when it is moved.
struct event::waiter {
    virtual ~waiter() = default;
    virtual void complete(error_code ec) = 0;
    [[nodiscard]] virtual asio::cancellation_slot slot() const noexcept = 0;

    handler_memory memory;
};

template <class Handler>
struct event::waiter_of final : waiter, recycled<event::waiter_of<Handler>> {
    explicit waiter_of(Handler&& given) : handler(std::move(given)) {}

    void complete(error_code ec) override { std::move(handler)(ec); }
    asio::cancellation_slot slot() const noexcept override {
        return asio::get_associated_cancellation_slot(handler);
    }

    Handler handler;
};

/// Posted, in the memory of the waiter that it completes.
class event::completion {
  public:
    using allocator_type = handler_memory::allocator<std::byte>;

    completion(std::unique_ptr<waiter> waiting, error_code ec) noexcept
        : waiting_(std::move(waiting)), memory_(waiting_->memory), ec_(ec) {}

    allocator_type get_allocator() const noexcept { return memory_; }
    void operator()() {
        waiting_->slot().clear();
        waiting_->complete(ec_);
    }

  private:
    std::unique_ptr<waiter> waiting_;
    allocator_type memory_;
    error_code ec_;
};

event::event(asio::io_context& io) noexcept : io_(io) {}
event::~event() = default;

void event::set() {
    if (!waiting_) {
        set_ = true;
        return;
    }
    // From here on a cancellation would find nobody, and perhaps no event either.
    waiting_->slot().clear();
    complete({});
}

void event::complete(error_code ec) {
    asio::post(io_, completion(std::move(waiting_), ec));
}

void event::start(std::unique_ptr<waiter> waiting) {
    waiting_ = std::move(waiting);
    if (std::exchange(set_, false)) return complete({});
    asio::cancellation_slot slot = waiting_->slot();
    if (!slot.is_connected()) return;
    slot.assign([this](asio::cancellation_type) {
        if (waiting_) complete(asio::error::operation_aborted);
    });
}

awaitable<std::tuple<error_code>> event::wait() {
    return asio::async_initiate<decltype(as_tuple), void(error_code)>(
        [](auto&& waiting, event* self) {
            using handler = std::decay_t<decltype(waiting)>;
            self->start(std::make_unique<waiter_of<handler>>(std::forward<decltype(waiting)>(waiting)));
        },
        as_tuple,
        this
    );
}

}  // namespace unicoro::aio

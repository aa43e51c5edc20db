// SPDX-License-Identifier: MIT
#include "python/loop/shared_reactor.hpp"

#include "python/runtime/gil.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace unicoro::python {
namespace {

// The reactor rounds up to milliseconds, which only matters for short waits; to be exact costs a
// system call.
constexpr auto short_wait = std::chrono::milliseconds(5);

}  // namespace

class shared_reactor::round_end {
  public:
    using allocator_type = aio::handler_memory::allocator<std::byte>;

    explicit round_end(shared_reactor& reactor) noexcept : reactor_(reactor) {}

    allocator_type get_allocator() const noexcept { return allocator_type(reactor_.round_end_memory_); }
    void operator()() const {
        reactor_.round_end_queued_ = false;
        if (!reactor_.in_round_) return;
        reactor_.round_over_ = true;
        reactor_.io_.stop();
    }

  private:
    shared_reactor& reactor_;
};

shared_reactor::shared_reactor(asio::io_context& io)
    : io_(io), work_(io.get_executor()), epoll_(io), alarm_(io) {}

void shared_reactor::run_ready() {
    if (io_.poll_one() > 0) run_rest();
}

// One call runs them all: Asio's memory for handlers and coroutines lasts as long as the call. But
// handlers may make others ready for ever, as connections of a native application under load do, so
// that a last one ends it.
void shared_reactor::run_rest() {
    if (io_.stopped()) return;
    if (!round_end_queued_) {
        round_end_queued_ = true;
        asio::post(io_, round_end(*this));
    }
    in_round_ = true;
    io_.poll();
    in_round_ = false;
    if (std::exchange(round_over_, false)) io_.restart();
}

void shared_reactor::set_alarm(clock::time_point at) {
    if (alarm_set_ && alarm_.expiry() == at) return;
    alarm_.expires_at(at);
    alarm_set_ = true;
    alarm_.async_wait([this](error_code failed) {
        if (!failed) alarm_set_ = false;
    });
}

void shared_reactor::block(std::optional<clock::time_point> until) {
    const bool exact = until && *until - clock::now() < short_wait;
    if (exact) set_alarm(*until);
    while (!has_news()) {
        if (exact) {
            if (!alarm_set_) return;
            io_.run_one();
        } else if (!until) {
            io_.run_one();
        } else if (io_.run_one_until(*until) == 0) {
            return;
        }
    }
    // What else came with it belongs to the same turn. The foreign loop's own descriptors do not wait.
    if (!epoll_.ready()) run_rest();
}

bool shared_reactor::wait(std::optional<clock::time_point> until) {
    epoll_.arm();
    run_ready();
    if (!has_news() && (!until || *until > clock::now())) {
        const gil_release others_turn;
        block(until);
    }
    interrupted_ = false;
    return epoll_.ready();
}

void shared_reactor::wake() {
    asio::post(io_, [this] { interrupt(); });
}

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#include "worker/handover.hpp"

#include "log/log.hpp"
#include "os/forks.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace unicoro::worker {
namespace {

void complain(const char* why) {
    log::warning("the application cannot have the connection of its request: {}", why);
}

}  // namespace

/// What the application does with it comes here from any thread, and on to the loop, where it may find
/// the handover gone.
class handover::socket_offer final : public app::connection_offer,
                                     public std::enable_shared_from_this<socket_offer> {
  public:
    socket_offer(handover& owner, os::unique_fd socket)
        : connection_offer(std::move(socket)),
          io_(owner.shared_.io),
          owner_(&owner),
          thread_(owner.thread_.get()) {}

    /// On the loop.
    void forget() noexcept { owner_ = nullptr; }

  private:
    // A child that the application forks has no loop.
    void on_taken() override {
        if (os::forked_off()) return;
        // That loop lives until the offer is settled, and then it is not taken any more.
        if (thread_ != nullptr) asio::post(thread_->io(), [thread = thread_] { thread->begin(); });
        asio::post(io_, [self = shared_from_this()] {
            if (self->owner_ != nullptr) self->owner_->request_.connection_taken();
        });
    }
    void on_released() override {
        if (os::forked_off()) return;
        asio::post(io_, [self = shared_from_this()] {
            if (self->owner_ != nullptr) self->owner_->released_.set();
        });
    }

    asio::io_context& io_;
    handover* owner_;
    relay_thread* thread_;
};

handover::handover(
    serving& shared, http1_exchange& request, byte_stream& client, std::string early, app::loop_meanwhile loop
)
    : shared_(shared),
      request_(request),
      client_(client),
      early_(std::move(early)),
      released_(shared.io),
      wait_limit_(&handover::wait_expired, this) {
    const bool as_it_is = early_.empty() && client_.transparent();
    os::unique_fd socket = as_it_is ? client_.duplicate() : make_pair(loop);
    if (socket) {
        offer_ = std::make_shared<socket_offer>(*this, std::move(socket));
    } else {
        complain(strerror(errno));
    }
}

handover::~handover() {
    if (offer_) offer_->forget();
}

os::unique_fd handover::make_pair(app::loop_meanwhile loop) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) return {};
    inner_ = os::unique_fd(ends[0]);
    os::unique_fd outer(ends[1]);
    if (loop == app::loop_meanwhile::runs) return outer;
    os::withheld_fd client(client_.duplicate());
    if (!client) return {};
    thread_ = std::make_unique<relay_thread>(std::move(client), std::move(inner_), std::move(early_));
    relay_ = &thread_->stopped_relay();
    return outer;
}

std::shared_ptr<app::connection_offer> handover::offer() const noexcept {
    return offer_;
}

void handover::begin(aio::task_group& nursery) {
    if (!inner_) return;
    relay_ = &own_.emplace(shared_.io, client_, std::move(inner_), std::move(early_));
    relay_->start(nursery);
}

void handover::drain() {
    if (relay_ != nullptr) {
        relay_->end_input();
    } else {
        client_.shutdown_read();
    }
}

bool handover::settle() noexcept {
    const bool taken = !offer_->withdraw();
    if (thread_) thread_->stop();
    return taken;
}

void handover::wait_expired(aio::deadline&, void* self) noexcept {
    static_cast<handover*>(self)->released_.set();
}

awaitable<void> handover::wait_released() {
    shared_.deadlines.arm(wait_limit_, shared_.limits.release);
    [[maybe_unused]] const auto [cancelled] = co_await released_.wait();
    wait_limit_.disarm();
}

std::string handover::take_rest() {
    // It may have come and gone before the loop knew of it.
    if (inner_) relay_ = &own_.emplace(shared_.io, client_, std::move(inner_), std::string());
    return relay_ != nullptr ? relay_->take_rest() : std::string();
}

}  // namespace unicoro::worker

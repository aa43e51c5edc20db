// SPDX-License-Identifier: MIT
// What an exchange does when the application of its request takes the connection.
#include "worker/connection.hpp"
#include "worker/handover.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <utility>

namespace unicoro::worker {

std::shared_ptr<app::connection_offer> http1_exchange::offer_connection(app::loop_meanwhile loop) {
    if (!parser_.head().wants_websocket || !body_done_ || phase_ != phase::head) return nullptr;
    handover_ = std::make_unique<handover>(
        shared_, *this, *stream_, std::string(input_.unread()), loop
    );
    if (!handover_->offer()) handover_.reset();
    return handover_ ? handover_->offer() : nullptr;
}

void http1_exchange::connection_taken() {
    // Too late to begin something that its end is behind.
    if (phase_ == phase::upgraded) return;
    request_deadline_.disarm();
    connection_->carry(handover_.get());
    handover_->begin(nursery_);
    // The worker may have begun to drain before.
    if (shared_.draining) handover_->drain();
}

void http1_exchange::settle_handover() noexcept {
    if (!handover_) return;
    if (handover_->settle()) {
        request_deadline_.disarm();
        phase_ = phase::upgraded;
        head_sent_ = true;
    } else {
        handover_.reset();
    }
}

awaitable<void> http1_exchange::conclude_handover() {
    co_await handover_->wait_released();
    std::string rest = handover_->take_rest();
    const std::array<iovec, 3> pieces{iovec{rest.data(), rest.size()}, iovec{}, iovec{}};
    const error_code failed = co_await write_pieces(pieces, 1);
    if (!failed) body_sent_ = rest.size();
}

void http1_exchange::end_handover() noexcept {
    // Where an exception has ended the request, it was not settled.
    [[maybe_unused]] const bool taken = handover_->settle();
    body_sent_ += handover_->sent();
    connection_->carry(nullptr);
}

}  // namespace unicoro::worker

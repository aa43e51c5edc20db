// SPDX-License-Identifier: MIT
// What an exchange does when the application of its request takes the connection.
#include "worker/connection.hpp"
#include "worker/handover.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <utility>

namespace unicoro::worker {

std::shared_ptr<app::connection_offer> http1_exchange::offer_connection(app::loop_meanwhile loop) {
    if (!parser_.head().wants_websocket || !now_.body_done || now_.stage != phase::head) return nullptr;
    now_.handover = std::make_unique<handover>(shared_, *this, *stream_, std::string(input_.unread()), loop);
    if (!now_.handover->offer()) now_.handover.reset();
    return now_.handover ? now_.handover->offer() : nullptr;
}

void http1_exchange::connection_taken() {
    // Too late to begin something that its end is behind.
    if (now_.stage == phase::upgraded) return;
    request_deadline_.disarm();
    connection_->carry(now_.handover.get());
    now_.handover->begin(nursery_);
    // The worker may have begun to drain before.
    if (shared_.draining) now_.handover->drain();
}

void http1_exchange::settle_handover() noexcept {
    if (!now_.handover) return;
    if (now_.handover->settle()) {
        request_deadline_.disarm();
        now_.stage = phase::upgraded;
        now_.head_sent = true;
    } else {
        now_.handover.reset();
    }
}

awaitable<void> http1_exchange::conclude_handover() {
    co_await now_.handover->wait_released();
    std::string rest = now_.handover->take_rest();
    const std::array<iovec, 3> pieces{iovec{rest.data(), rest.size()}, iovec{}, iovec{}};
    const error_code failed = co_await write_pieces(pieces, 1);
    if (!failed) now_.body_sent = rest.size();
}

void http1_exchange::end_handover() noexcept {
    // Where an exception has ended the request, it was not settled.
    [[maybe_unused]] const bool taken = now_.handover->settle();
    now_.body_sent += now_.handover->sent();
    connection_->carry(nullptr);
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
// What an exchange does when the application of its request takes the connection.
#include "worker/handover.hpp"
#include "worker/http1_connection.hpp"
#include "worker/http1_exchange.hpp"
#include "worker/serving.hpp"

#include <utility>

namespace unicoro::worker {
namespace {

constexpr int switching_protocols = 101;

}  // namespace

std::shared_ptr<app::connection_offer> http1_exchange::offer_connection(app::loop_meanwhile loop) {
    if (!head().wants_websocket || !reader_.body_done() || now_.stage != phase::head) return nullptr;
    now_.handover = std::make_unique<handover>(shared_, *this, *stream_, std::string(reader_.unread()), loop);
    if (!now_.handover->offer()) now_.handover.reset();
    return now_.handover ? now_.handover->offer() : nullptr;
}

void http1_exchange::connection_taken() {
    // Too late to begin something that its end is behind.
    if (now_.stage == phase::upgraded) return;
    lift_deadline();
    leave();
    connection_->carry(now_.handover.get());
    now_.handover->begin(nursery());
    // The worker may have begun to drain before.
    if (shared_.draining) now_.handover->drain();
}

// Where the application took the connection, nothing of ours goes out any more.
void http1_exchange::handled() noexcept {
    if (!now_.handover) return;
    if (now_.handover->settle()) {
        lift_deadline();
        now_.stage = phase::upgraded;
        log_as(switching_protocols);
    } else {
        now_.handover.reset();
    }
}

awaitable<void> http1_exchange::conclude_handover() {
    co_await now_.handover->wait_released();
    std::string rest = now_.handover->take_rest();
    const std::array<iovec, 3> pieces{iovec{rest.data(), rest.size()}, iovec{}, iovec{}};
    const error_code failed = co_await write_pieces(pieces);
    if (!failed) count_sent(rest.size());
}

void http1_exchange::end_handover() noexcept {
    // Where an exception has ended the request, it was not settled.
    [[maybe_unused]] const bool taken = now_.handover->settle();
    count_sent(now_.handover->sent());
    connection_->carry(nullptr);
}

}  // namespace unicoro::worker

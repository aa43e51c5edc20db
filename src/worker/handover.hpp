// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "aio/event.hpp"
#include "aio/task_group.hpp"
#include "app/connection_offer.hpp"
#include "app/exchange.hpp"
#include "worker/byte_stream.hpp"
#include "worker/relay.hpp"
#include "worker/relay_thread.hpp"
#include "worker/upgrade.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace unicoro::worker {

class http1_exchange;
struct serving;

/// A request's connection on offer to its application, and in its hands from the moment it is taken. The
/// application gets a duplicate of the socket where nothing behind the request's head was read from
/// that; else one end of a socket pair, and the rest is relayed. Owned by the exchange, which keeps the
/// stream open as long.
class handover final : public upgrade {
  public:
    /// `early` is what was read behind the head.
    handover(
        serving& shared,
        http1_exchange& request,
        byte_stream& client,
        std::string early,
        app::loop_meanwhile loop
    );
    ~handover();

    /// Null where no descriptor could be had.
    [[nodiscard]] std::shared_ptr<app::connection_offer> offer() const noexcept;

    /// It was taken: relays in `nursery` where there is something to relay.
    void begin(aio::task_group& nursery);

    /// The application reads its input to the end, and may still say goodbye.
    void drain() override;

    /// The application is done with the request. True: the connection was taken.
    [[nodiscard]] bool settle() noexcept;

    /// After it was taken and settled: waits for a moment until the application lets go of its socket, as
    /// one of its threads may still be answering a close frame. The nursery has ended.
    awaitable<void> wait_released();

    /// After that: what it wrote and is not sent yet. Nothing is relayed any more.
    [[nodiscard]] std::string take_rest();

    /// Bytes sent to the client, as far as they were relayed.
    [[nodiscard]] std::uint64_t sent() const noexcept { return relay_ != nullptr ? relay_->sent() : 0; }

  private:
    class socket_offer;

    static void wait_expired(aio::deadline& which, void* self) noexcept;
    [[nodiscard]] os::unique_fd make_pair(app::loop_meanwhile loop);

    serving& shared_;
    http1_exchange& request_;
    byte_stream& client_;
    std::string early_;
    os::withheld_fd inner_;  // our end of the pair, until the relay has it
    std::unique_ptr<relay_thread> thread_;
    std::optional<relay> own_;
    relay* relay_ = nullptr;  // one of these two
    std::shared_ptr<socket_offer> offer_;
    aio::event released_;
    aio::deadline wait_limit_;
};

}  // namespace unicoro::worker

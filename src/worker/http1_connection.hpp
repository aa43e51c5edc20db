// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "http/policy.hpp"
#include "worker/client_connection.hpp"
#include "worker/idle_connections.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace unicoro::worker {

class http1_exchange;
class upgrade;

/// A connection of HTTP/1.x: waits without a buffer, borrows an exchange while a request runs, one at a time.
class http1_connection final : public client_connection, public idle_connection {
  public:
    http1_connection(serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info);

    void cancel() override;
    awaitable<void> serve() override;
    void drain() noexcept override;
    bool give_way() noexcept override;

    // --- for the exchange

    /// Whom the requests come from.
    [[nodiscard]] http::peer sender() const noexcept { return sender_; }

    /// One time limit runs at a time: for the next request, its head, body or response.
    void arm(aio::deadline_queue& limit);
    void disarm() noexcept { limit_.disarm(); }
    [[nodiscard]] bool expired() const noexcept { return expired_; }

    /// What the running request awaits throws operation_aborted; the connection goes on.
    void cancel_handling() noexcept;
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

    /// What the running request has turned it into, to be ended by a drain; null = nothing else. Meanwhile
    /// the time limit is the drain's.
    void carry(upgrade* other) noexcept { upgrade_ = other; }

  private:
    enum class after_burst : std::uint8_t { close, wait, nothing, gone };

    static void limit_expired(aio::deadline& which, void* self) noexcept;

    [[nodiscard]] bool waits_less() const noexcept;
    void meet_client();
    /// It is one of HTTP/2, by what the handshake has settled, or because nothing else is spoken.
    [[nodiscard]] bool is_http2() const noexcept;
    /// It may begin with HTTP/2 without saying so before (RFC 9113, 3.3).
    [[nodiscard]] bool may_know_http2() const noexcept;
    /// Another connection has the stream from here on, with what was read of it.
    void go_on_as_other(std::string_view begun);
    [[nodiscard]] bool ends_idle(const error_code& waited) noexcept;
    /// From here on it is idle, until the next request or that limit.
    void await_next(aio::deadline_queue& limit);
    awaitable<after_burst> serve_burst();
    awaitable<void> linger();

    aio::deadline limit_;
    upgrade* upgrade_ = nullptr;
    http::peer sender_;
    bool idle_ = true;
    bool used_ = false;
    bool expired_ = false;
    bool cancelled_ = false;
};

}  // namespace unicoro::worker

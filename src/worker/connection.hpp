// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "aio/task_group.hpp"
#include "app/exchange.hpp"
#include "http/request_parser.hpp"
#include "worker/byte_stream.hpp"

#include <boost/intrusive/list.hpp>

#include <memory>
#include <string>

namespace unicoro::worker {

struct serving;
class http1_exchange;
class upgrade;

/// One client connection: waits without a buffer, borrows an exchange while a request runs.
class connection final : public aio::task {
  public:
    connection(serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info);
    ~connection() override;

    std::string name() const override;
    void cancel() override;

    /// The connection's whole life.
    awaitable<void> serve();

    /// Idle: closes, when its client asks nothing more for a moment. Busy: the running response is the
    /// last one, and says so where its head has not left yet.
    void drain() noexcept;

    [[nodiscard]] byte_stream& stream() noexcept { return *stream_; }
    [[nodiscard]] app::connection_info& info() noexcept { return info_; }
    [[nodiscard]] http::peer_trust trust() const noexcept { return trust_; }

    /// One time limit runs at a time: for the next request, its head, body or response.
    void arm(aio::deadline_queue& limit);
    void say_farewell();
    void disarm() noexcept { limit_.disarm(); }
    [[nodiscard]] bool expired() const noexcept { return expired_; }

    /// What the running request has turned it into, to be ended by a drain; null = nothing else.
    void carry(upgrade* other) noexcept { upgrade_ = other; }

    /// No request is running; a connection that was never used counts as idle too.
    [[nodiscard]] bool idle() const noexcept { return idle_; }

  private:
    enum class after_burst : bool { close, wait };

    static void limit_expired(aio::deadline& which, void* self) noexcept;

    awaitable<after_burst> serve_burst();
    awaitable<void> run(http1_exchange& request);
    awaitable<void> linger();

    serving& shared_;
    std::unique_ptr<byte_stream> stream_;
    app::connection_info info_;
    aio::deadline limit_;
    upgrade* upgrade_ = nullptr;
    http::peer_trust trust_;
    bool idle_ = true;
    bool used_ = false;
    bool expired_ = false;
    bool cancelled_ = false;
    bool looked_again_ = false;  // for an end of file that wait_idle may have missed
};

}  // namespace unicoro::worker

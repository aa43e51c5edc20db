// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"

#include <cstddef>
#include <list>

namespace unicoro::worker {

/// The TLS handshakes that go on at once in a worker (tls_max_handshakes). Who comes when all places are
/// taken waits, the first come the first, with what the client sent unread. Outlives the places.
class handshake_places {
  public:
    /// 0 = any number.
    explicit handshake_places(std::size_t most) noexcept : most_(most) {}
    handshake_places(const handshake_places&) = delete;
    handshake_places& operator=(const handshake_places&) = delete;

  private:
    friend class handshake_place;

    [[nodiscard]] bool any_free() const noexcept { return most_ == 0 || taken_ < most_; }
    void wake_first();

    std::size_t most_;
    std::size_t taken_ = 0;
    std::list<class handshake_place*> waiting_;
};

/// That of one connection, which owns it: let go of at its end, at the latest.
class handshake_place {
  public:
    handshake_place(asio::io_context& io, handshake_places& of) noexcept : of_(of), turn_(io) {}
    handshake_place(const handshake_place&) = delete;
    handshake_place& operator=(const handshake_place&) = delete;
    ~handshake_place();

    /// False where `cancel` ended the wait, and ever after.
    [[nodiscard]] awaitable<bool> enter();
    void leave();
    void cancel();

  private:
    friend class handshake_places;

    handshake_places& of_;
    aio::event turn_;
    bool taken_ = false;
    bool cancelled_ = false;
};

}  // namespace unicoro::worker

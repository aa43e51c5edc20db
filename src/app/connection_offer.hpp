// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

namespace unicoro::app {

/// The client's connection of one request, for an application that wants to speak on it itself. It is
/// the application's from its first use on, unless the request was answered before. The exchange that
/// made it and the application share it; the application may keep it beyond the request, where it is
/// good for nothing. Any thread.
class connection_offer {
  public:
    explicit connection_offer(os::unique_fd socket) : socket_(std::move(socket)) {}
    connection_offer(const connection_offer&) = delete;
    connection_offer& operator=(const connection_offer&) = delete;
    virtual ~connection_offer() = default;

    // --- for the application's side

    /// Its own descriptor of the connection, once.
    [[nodiscard]] os::unique_fd claim_socket() noexcept { return std::move(socket_); }

    /// It uses the connection. False: too late.
    [[nodiscard]] bool take();
    [[nodiscard]] bool taken() const noexcept { return state_ == state::taken; }

    /// It has closed its descriptor, or lost it.
    void release() { on_released(); }

    // --- for who answers the request

    /// From now on it cannot be taken any more. False: it was.
    [[nodiscard]] bool withdraw() noexcept;

  private:
    enum class state : std::uint8_t { open, taken, withdrawn };

    virtual void on_taken() = 0;
    virtual void on_released() = 0;

    os::unique_fd socket_;
    std::atomic<state> state_ = state::open;
};

}  // namespace unicoro::app

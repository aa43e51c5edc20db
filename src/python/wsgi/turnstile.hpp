// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <utility>

namespace unicoro::python {

/// Lets one coroutine through at a time, in the order of their coming. Safe against cancellation
/// and against the destruction of a waiting coroutine. Worker only.
class turnstile {
  public:
    explicit turnstile(asio::io_context& io) noexcept : io_(io) {}
    turnstile(const turnstile&) = delete;
    turnstile& operator=(const turnstile&) = delete;

    /// The right to be inside; gives it to the next one in line when destroyed.
    class turn {
      public:
        turn() noexcept = default;
        explicit turn(turnstile& owner) noexcept : owner_(&owner) {}
        turn(turn&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        turn& operator=(turn&& other) noexcept {
            std::swap(owner_, other.owner_);
            return *this;
        }
        ~turn() { release(); }

        [[nodiscard]] explicit operator bool() const noexcept { return owner_ != nullptr; }
        void release() noexcept {
            if (owner_ != nullptr) std::exchange(owner_, nullptr)->pass_on();
        }

      private:
        turnstile* owner_ = nullptr;
    };

    /// In at once, or nothing.
    [[nodiscard]] turn try_enter() noexcept;

    /// Waits in line. Nothing when it was cancelled meanwhile.
    [[nodiscard]] awaitable<turn> enter();

  private:
    class waiter;

    void pass_on() noexcept;

    asio::io_context& io_;
    bool taken_ = false;
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

}  // namespace unicoro::python

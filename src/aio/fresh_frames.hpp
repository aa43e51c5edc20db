// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/awaitable.hpp>

#include <array>

namespace unicoro::aio {

/// While it lives, coroutines get frames that fit. Asio gives out again the two frames that were freed last,
/// whatever their size: who waits for long would keep what a handler needed for a moment. On the stack, for
/// the calls that make such a coroutine.
class fresh_frames {
  public:
    fresh_frames() = default;
    fresh_frames(const fresh_frames&) = delete;
    fresh_frames& operator=(const fresh_frames&) = delete;

  private:
    static awaitable<void> nothing() { co_return; }

    std::array<awaitable<void>, 2> kept_for_others_{nothing(), nothing()};
};

}  // namespace unicoro::aio

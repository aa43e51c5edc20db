// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>

namespace unicoro::aio {

/// A second coroutine beside the one of its owner, one at a time. Who owns it must wait for its end
/// before the branch is destroyed. What it throws is logged, unless it was cancelled.
class branch {
  public:
    branch() = default;
    branch(const branch&) = delete;
    branch& operator=(const branch&) = delete;

    /// Starts it at once when called on the loop; `ended` is called when it is over.
    void start(asio::io_context& io, awaitable<void> body, std::function<void()> ended);

    void cancel() { signal_.emit(asio::cancellation_type::terminal); }

  private:
    asio::cancellation_signal signal_;
    std::function<void()> ended_;
};

}  // namespace unicoro::aio

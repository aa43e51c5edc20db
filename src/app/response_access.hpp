// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

#include <unicoro/response.hpp>

namespace unicoro::app {

/// Turns an application's response into what the exchange sends.
class response_access {
  public:
    /// Gives the head, and a body that is in memory. False when `send` must do the rest.
    [[nodiscard]] static bool give(response& answer, exchange& to);

    /// Sends a body that is a file or a stream, to its end; `writer` is for the stream.
    static awaitable<void> send(response& answer, exchange& to, response_writer& writer);

  private:
    static bool give_head(const response& answer, exchange& to);
    static awaitable<void> send_file(const response& answer, exchange& to);
};

}  // namespace unicoro::app

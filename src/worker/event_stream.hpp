// SPDX-License-Identifier: MIT
#pragma once

#include "http/response_head.hpp"

#include <string>
#include <string_view>

namespace unicoro::worker {

/// What a response says of server-sent events.
struct event_stream_kind {
    bool events = false;
    bool encoded = false;  ///< where an event ends cannot be seen, and a cut would spoil what is decoded
};

[[nodiscard]] event_stream_kind event_stream_of(const http::response_head& head) noexcept;

/// Adds a piece of such a response to its last bytes so far. True when an event has just ended with it.
[[nodiscard]] bool ends_event(std::string& tail, std::string_view piece);

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

namespace unicoro::app {

/// Answers a request whose body could not be read, where the client, or its being slow, is the reason; false,
/// and nothing is done, for any other.
[[nodiscard]] bool blame_client(exchange& request, error_code why);

/// The same, and for any other reason too, which is logged when it comes from outside.
void refuse_body(exchange& request, error_code why);

}  // namespace unicoro::app

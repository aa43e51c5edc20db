// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

namespace unicoro::app {

/// Answers a request whose body could not be read, by the reason.
void refuse_body(exchange& request, error_code why);

}  // namespace unicoro::app

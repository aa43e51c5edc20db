// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

namespace unicoro::python {

/// Answers a request whose body could not be read, by the reason.
void refuse_body(app::exchange& request, error_code why);

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "app/code_place.hpp"

#include <vector>

namespace unicoro::python {

/// As app::host::look_at_code, from a thread that Python need not know. `loop_thread`: Python's number of the
/// loop's. Empty when it cannot be told.
[[nodiscard]] std::vector<app::code_seen> look_at_code(
    unsigned long loop_thread, const app::gather_places& gather
);

}  // namespace unicoro::python

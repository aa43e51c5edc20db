// SPDX-License-Identifier: MIT
#pragma once

#include "http/response_head.hpp"

#include <cstdint>

namespace unicoro::python {

/// Adds a Content-Length where the application has given none. With the GIL; false with a Python exception
/// set.
[[nodiscard]] bool announce_length(http::response_head& head, std::uint64_t length);

}  // namespace unicoro::python

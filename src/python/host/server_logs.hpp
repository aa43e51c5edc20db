// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// What the server's logs are to hooks.py: the functions (write_error, error_fd, write_access, access_fd,
/// switch). `switch` takes what is called with the parts of each access record from then on, or None. With
/// the GIL; nothing with an exception set.
[[nodiscard]] py_ref make_server_logs();

/// The process has no use of Python any more: records go where they went. With the GIL.
void forget_server_logs() noexcept;

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include <exception>

namespace unicoro::aio {

/// Did this exception end a coroutine because the server cancelled it (operation_aborted of Asio,
/// errc::cancelled of our own operations)? Then it is no failure of anyone.
[[nodiscard]] bool is_cancellation(const std::exception_ptr& failure);

}  // namespace unicoro::aio

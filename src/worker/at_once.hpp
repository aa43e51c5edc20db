// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <tuple>

namespace unicoro::worker {

/// A wait that is over before it begins.
inline awaitable<std::tuple<error_code>> at_once() {
    const std::tuple<error_code> over{};
    co_return over;
}

}  // namespace unicoro::worker

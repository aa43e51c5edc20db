// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <tuple>

namespace unicoro::worker {

/// A wait for what has come already: over when the others of the loop have had their turn.
inline awaitable<std::tuple<error_code>> at_once() {
    const auto loop = co_await asio::this_coro::executor;
    [[maybe_unused]] const std::tuple<> turn = co_await asio::post(loop, as_tuple);
    const std::tuple<error_code> over{};
    co_return over;
}

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace unicoro {

/// The executor of a worker's one event loop.
using executor = boost::asio::io_context::executor_type;

/// A coroutine on the worker's event loop. Typed by its executor, which saves the type erasure of
/// `any_io_executor` on every suspension.
template <class T = void>
using awaitable = boost::asio::awaitable<T, executor>;

/// Completion token for Asio operations inside an `awaitable`: throws `boost::system::system_error`.
inline constexpr boost::asio::use_awaitable_t<executor> use_awaitable;

/// The same without exceptions: `auto [ec, n] = co_await socket.async_read_some(b, as_tuple)`.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<executor>> as_tuple{
    boost::asio::use_awaitable_t<executor>{}
};

}  // namespace unicoro

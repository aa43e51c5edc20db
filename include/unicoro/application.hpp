// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/abi.hpp>
#include <unicoro/awaitable.hpp>
#include <unicoro/request.hpp>
#include <unicoro/response.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace unicoro {

/// "unicoro1" in memory order: what an `application` object starts with.
inline constexpr std::uint64_t application_magic = 0x31'6f'72'6f'63'69'6e'75;

/// The worker an application lives in. Outlives the application's stop hook.
class worker_handle {
  public:
    virtual ~worker_handle() = default;

    /// The worker's one event loop; sockets and timers made on it work with `use_awaitable`.
    [[nodiscard]] virtual boost::asio::io_context& io() noexcept = 0;
    /// This worker's place, 0 to workers-1 in calm weather.
    [[nodiscard]] virtual std::size_t slot() const noexcept = 0;
    /// Runs a background coroutine beside the requests. It is cancelled before the stop hook; an
    /// exception from it is logged under `name`.
    virtual void spawn(std::string name, awaitable<void> task) = 0;
};

/// A native application. Define one outside of any namespace, where a variable keeps its plain name as a
/// symbol, and serve it as `./libhello.so:app`:
///
///     unicoro::awaitable<unicoro::response> hello(unicoro::request&) {
///         co_return unicoro::response::text("Hello, world!\n");
///     }
///     unicoro::application app{.handle = hello};
///
/// `const` would keep the symbol inside of the library, except after extern "C". One instance per worker
/// process; everything runs on the worker's one thread.
struct application {
    std::uint64_t magic = application_magic;  ///< leave as it is
    const char* abi = abi_tag();              ///< leave as it is

    /// Answers one request. An exception is logged and answered 500. When request_timeout runs out or
    /// the worker must end, what it awaits is cancelled (operation_aborted).
    std::function<awaitable<response>(request&)> handle = nullptr;

    /// Runs before the first request; an exception keeps the worker from booting.
    std::function<awaitable<void>(worker_handle&)> start = nullptr;

    /// Runs after the last request.
    std::function<awaitable<void>(worker_handle&)> stop = nullptr;
};

}  // namespace unicoro

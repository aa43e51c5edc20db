// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "app/code_place.hpp"
#include "app/exchange.hpp"
#include "master/boot_failure.hpp"
#include "os/listener.hpp"
#include "settings/settings.hpp"

#include <unicoro/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unicoro::app {

using master::boot_failure;
using master::load_error;

/// What an application sees of the worker it lives in. Outlives the host.
struct worker_context {
    boost::asio::io_context& io;
    const settings::server_settings& settings;
    std::size_t slot;                  ///< this worker's place, 0 to workers-1 in calm weather
    std::uint64_t age = 0;             ///< counts the workers of a master, from 1; 0 = --check-config
    std::function<void()> heartbeat;   ///< tells the master that a long synchronous step is alive
    aio::task_group* tasks = nullptr;  ///< background coroutines of the application
    /// When the worker must have ended; known once it drains.
    std::chrono::steady_clock::time_point end_by = std::chrono::steady_clock::time_point::max();
    /// The master has given the worker up, which ends as soon as it can: what runs is answered.
    std::function<void()> given_up = {};
    std::span<const os::listener> listeners = {};
};

/// An application in one worker: native library or interpreter. Every call comes on the worker's one
/// thread, in the order load, start, handle (many, interleaved), stop. How a request gets here, and what
/// the hosts do with it: docs/design.md.
class host {
  public:
    host() = default;
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    virtual ~host() = default;

    /// "WSGI", "ASGI" or "native", for the start-up line.
    [[nodiscard]] virtual std::string_view interface_name() const noexcept = 0;

    /// Loads the application, after the fork and after privileges were dropped. Blocking.
    [[nodiscard]] virtual std::optional<load_error> load(worker_context& context) = 0;

    /// Runs start hooks on the loop. The worker is ready when this has returned.
    virtual awaitable<std::optional<load_error>> start(worker_context& context) = 0;

    /// Answers one request. Exceptions are for failures of the host itself; those of the application
    /// are logged and answered here (`exchange::fail`). Cancelled (asio cancellation) when the request
    /// ran out of time or the worker must end.
    virtual awaitable<void> handle(exchange& request) = 0;

    /// Runs stop hooks; no request runs any more.
    virtual awaitable<void> stop(worker_context& context) = 0;

    /// Hosts that bring a loop of their own drive the io_context in it until it is stopped.
    virtual void drive(boost::asio::io_context& io) { io.run(); }

    /// True when it is by design that a request holds the loop while its code runs.
    [[nodiscard]] virtual bool holds_loop() const noexcept { return false; }

    /// How many requests its code can be in at once; 0 = any number.
    [[nodiscard]] virtual std::size_t places() const noexcept { return 0; }

    /// From another thread, while the loop's thread does not come back: the stack of what that runs,
    /// empty when it cannot be told. May wait until that thread lets others into its interpreter.
    [[nodiscard]] virtual std::string stack_of_loop() { return {}; }

    /// For how long the loop's thread has waited, so far, until other threads let it into its interpreter.
    [[nodiscard]] virtual std::chrono::nanoseconds waited_for_interpreter() const noexcept {
        return std::chrono::nanoseconds::zero();
    }

    /// True where `look_at_code` shows something.
    [[nodiscard]] virtual bool shows_code() const noexcept { return false; }

    /// From another thread, whatever holds the loop's: what is seen at the places that `gather` finds, in
    /// their order. While that runs nobody else runs code in the application's interpreter, but the loop may
    /// go on outside of it. May wait until that lets others in.
    [[nodiscard]] virtual std::vector<code_seen> look_at_code(const gather_places& /*gather*/) { return {}; }

    /// Native code of the application runs on the loop: its stack, too, tells what holds that up.
    [[nodiscard]] virtual bool runs_native_code() const noexcept { return false; }

    /// Each of its applications takes WebSockets by exchange::accept_websocket, so that it matters to none
    /// what carries them.
    [[nodiscard]] virtual bool accepts_websockets() const noexcept { return false; }

    /// SIGINT or SIGQUIT came: the worker ends as fast as it can.
    virtual void interrupted() {}

    /// All requests that run are about to be cancelled: what their code would be told one by one can be
    /// told at once.
    virtual void cancelling() {}

    /// Paths of the files the application's code came from, as far as it is loaded.
    [[nodiscard]] virtual std::vector<std::string> code_files() { return {}; }

    /// True of what stands in for an application that does not load.
    [[nodiscard]] virtual bool is_broken() const noexcept { return false; }

    /// The logs were opened anew.
    virtual void logs_reopened() {}
};

}  // namespace unicoro::app

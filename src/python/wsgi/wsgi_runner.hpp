// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "app/spooled_body.hpp"
#include "python/wsgi/wsgi_call.hpp"

#include <functional>

namespace unicoro::python {

/// How requests get into WSGI applications: in line, in greenlets, on threads. One per worker.
class wsgi_runner {
  public:
    wsgi_runner() = default;
    wsgi_runner(const wsgi_runner&) = delete;
    wsgi_runner& operator=(const wsgi_runner&) = delete;
    virtual ~wsgi_runner() = default;

    [[nodiscard]] virtual environ_builder::calls concurrency() const noexcept = 0;

    /// Before the first request, when the application is loaded. With the GIL. False with a Python
    /// exception set.
    [[nodiscard]] virtual bool start() { return true; }

    /// Answers one request, as app::host::handle.
    virtual awaitable<void> handle(wsgi_runtime& application, app::exchange& request) = 0;

    /// As app::host::cancelling.
    virtual void cancel_all() {}

    /// No request runs any more. False when code of one does all the same: then neither this nor the
    /// applications may be destroyed. Calls `alive` while it waits. With the GIL.
    [[nodiscard]] virtual bool stop([[maybe_unused]] const std::function<void()>& alive) { return true; }
};

[[nodiscard]] bool has_body(const app::exchange& request) noexcept;

/// Reads the whole body; answers a request whose body cannot be read, and says so (false).
[[nodiscard]] awaitable<bool> take_body(app::exchange& request, app::spooled_body& body);

/// Sends what the application left to be sent when it was done.
awaitable<void> deliver(app::exchange& request, const wsgi_call::step& last);

}  // namespace unicoro::python

// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "python/wsgi/wsgi_call.hpp"

#include <cstddef>
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

    /// As app::host::places.
    [[nodiscard]] virtual std::size_t places() const noexcept { return 0; }

    /// Before the first request, when the application is loaded. With the GIL. False with a Python
    /// exception set.
    [[nodiscard]] virtual bool start() { return true; }

    /// Answers one request, as app::host::handle. Its body is read first, so that a client that is slow to
    /// send it holds nothing but its connection, no place in the application either, unless the application
    /// is to read it.
    [[nodiscard]] awaitable<void> handle(wsgi_runtime& application, app::exchange& request);

    /// As app::host::cancelling.
    virtual void cancel_all() {}

    /// No request runs any more. False when code of one does all the same: then neither this nor the
    /// applications may be destroyed. Calls `alive` while it waits. With the GIL.
    [[nodiscard]] virtual bool stop([[maybe_unused]] const std::function<void()>& alive) { return true; }

  private:
    /// Of a request with a body: shall the application read it through its request_io?
    [[nodiscard]] virtual bool leaves_body([[maybe_unused]] const http::request_head& head) const noexcept {
        return false;
    }
    /// Answers a request whose body is here, or is left to the application.
    [[nodiscard]] virtual awaitable<void> run(
        wsgi_runtime& application, app::exchange& request, request_body body
    ) = 0;
    [[nodiscard]] awaitable<void> run_after_body(wsgi_runtime& application, app::exchange& request);
    [[nodiscard]] awaitable<void> run_when_let_in(
        wsgi_runtime& application, app::exchange& request, request_body body
    );
};

/// Sends what the application left to be sent when it was done.
awaitable<void> deliver(app::exchange& request, const wsgi_call::step& last);

}  // namespace unicoro::python

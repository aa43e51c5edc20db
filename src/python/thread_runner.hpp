// SPDX-License-Identifier: MIT
#pragma once

#include "python/thread_pool.hpp"
#include "python/wsgi_runner.hpp"

namespace unicoro::python {

/// Requests on a pool of threads (--threads). The loop reads request bodies, in memory or in a
/// temporary file, before a thread sees them, and sends responses: a slow client holds no thread.
class thread_runner final : public wsgi_runner {
  public:
    explicit thread_runner(asio::io_context& io) noexcept : io_(io) {}
    /// With the GIL.
    ~thread_runner() override { pool_.stop(); }

    /// With the GIL. False with a Python exception set.
    [[nodiscard]] bool start(std::size_t threads) { return pool_.start(threads); }

    environ_builder::calls concurrency() const noexcept override {
        return environ_builder::calls::many_at_once;
    }
    awaitable<void> handle(wsgi_runtime& application, app::exchange& request) override;

  private:
    class presence;

    [[nodiscard]] static awaitable<void> send_what_comes(thread_call& call, app::exchange& request);

    asio::io_context& io_;
    thread_pool pool_;
};

}  // namespace unicoro::python

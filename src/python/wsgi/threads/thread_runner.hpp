// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/threads/thread_pool.hpp"
#include "python/wsgi/wsgi_runner.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <functional>

namespace unicoro::python {

/// Requests on a pool of threads (--threads). The loop reads request bodies, in memory or in a
/// temporary file, before a thread sees them, and sends responses: a slow client holds no thread.
class thread_runner final : public wsgi_runner {
  public:
    /// `measures_cpu`: what each call computes.
    thread_runner(asio::io_context& io, std::size_t threads, bool measures_cpu) noexcept
        : io_(io), threads_(threads), measures_cpu_(measures_cpu) {}

    [[nodiscard]] bool start() override { return pool_.start(threads_); }
    void cancel_all() override;
    [[nodiscard]] bool stop(const std::function<void()>& alive) override { return pool_.stop(alive); }

    environ_builder::calls concurrency() const noexcept override {
        return environ_builder::calls::many_at_once;
    }
    std::size_t places() const noexcept override { return threads_; }

    // --- for the calls, in their coroutines

    [[nodiscard]] asio::io_context& context() const noexcept { return io_; }
    [[nodiscard]] bool measures_cpu() const noexcept { return measures_cpu_; }
    void admit(thread_call& call);
    /// As of the pool.
    void retire(thread_call& call) { pool_.retire(thread_call_ptr(&call)); }

  private:
    awaitable<void> run(wsgi_runtime& application, app::exchange& request, request_body body) override;

    asio::io_context& io_;
    std::size_t threads_;
    const bool measures_cpu_;
    thread_pool pool_;
    boost::intrusive::list<thread_call, boost::intrusive::constant_time_size<false>> present_;
};

}  // namespace unicoro::python

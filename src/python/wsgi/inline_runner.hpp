// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/turnstile.hpp"
#include "python/wsgi/wsgi_runner.hpp"

#include <cstddef>
#include <functional>
#include <utility>

namespace unicoro::python {

/// One request at a time is inside of an application, on the loop's thread, so nothing of two
/// requests ever mixes in it. Reading request bodies and sending whole responses is the loop's work
/// and goes on for any number of clients.
class inline_runner final : public wsgi_runner {
  public:
    /// `alive`: see inline_call.
    inline_runner(asio::io_context& io, std::function<void()> alive) : turns_(io), alive_(std::move(alive)) {}

    environ_builder::calls concurrency() const noexcept override {
        return environ_builder::calls::one_at_a_time;
    }
    std::size_t places() const noexcept override { return 1; }

  private:
    awaitable<void> run(wsgi_runtime& application, app::exchange& request, request_body body) override;

    turnstile turns_;
    std::function<void()> alive_;
};

}  // namespace unicoro::python

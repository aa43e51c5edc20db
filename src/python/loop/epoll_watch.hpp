// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "aio/watched_duplicate.hpp"

#include <unicoro/result.hpp>

#include <functional>
#include <optional>
#include <utility>

namespace unicoro::python {

/// The epoll descriptor of a foreign loop, watched in an io_context by a duplicate: level-triggered, as
/// each `arm` looks at it anew. Destroyed outside of handlers, when none runs any more.
class epoll_watch {
  public:
    /// `on_ready` is called in a handler when it becomes ready.
    explicit epoll_watch(asio::io_context& io, std::function<void()> on_ready = {})
        : io_(io), on_ready_(std::move(on_ready)) {}
    epoll_watch(const epoll_watch&) = delete;
    epoll_watch& operator=(const epoll_watch&) = delete;

    /// Replaces one watched before.
    [[nodiscard]] error_code open(int epoll_fd);
    void close() noexcept;

    /// Begins to look whether it is ready, unless that is going on: then what was found before is forgotten.
    void arm();
    /// It was ready since it was armed.
    [[nodiscard]] bool ready() const noexcept { return ready_; }
    /// The same, and forgets it.
    [[nodiscard]] bool take() noexcept { return std::exchange(ready_, false); }

  private:
    asio::io_context& io_;
    std::function<void()> on_ready_;
    std::optional<aio::watched_duplicate> watched_;
    bool armed_ = false;
    bool ready_ = false;
};

}  // namespace unicoro::python

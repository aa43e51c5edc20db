// SPDX-License-Identifier: MIT
#pragma once

#include "worker/relay.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>
#include <string>
#include <thread>

namespace unicoro::worker {

/// A relay with a loop and a thread of its own, for an application that holds the worker's. Owned by the
/// handover; `stop` and the destructor end the thread.
class relay_thread {
  public:
    /// `client` is a duplicate of the client's socket, `inner` our end of the pair. Throws what is no
    /// thread or descriptor to be had (std::exception).
    relay_thread(os::withheld_fd client, os::withheld_fd inner, std::string early);
    relay_thread(const relay_thread&) = delete;
    relay_thread& operator=(const relay_thread&) = delete;
    ~relay_thread() { stop(); }

    [[nodiscard]] asio::io_context& io() noexcept { return io_; }

    /// On `io`.
    void begin() { relay_->start(tasks_); }

    /// Returns when nothing is relayed any more.
    void stop();
    /// For use after `stop`.
    [[nodiscard]] relay& stopped_relay() noexcept { return *relay_; }

  private:
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    std::optional<socket_stream> client_;
    std::optional<relay> relay_;
    aio::task_group tasks_{io_};
    std::thread thread_;
};

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "app/connection_info.hpp"
#include "worker/byte_stream.hpp"

#include <memory>
#include <string>

namespace unicoro::worker {

struct serving;

/// One client's connection as the worker sees it, whatever is spoken on it: counted from its accept to its
/// end, drained, cancelled. A task of the worker's connections, which own it. One that carries several
/// requests at a time runs them in a task group of its own.
class client_connection : public aio::task {
  public:
    client_connection(serving& shared, std::unique_ptr<byte_stream> stream, app::connection_info info);
    ~client_connection() override;

    std::string name() const override;

    /// Its whole life.
    virtual awaitable<void> serve() = 0;

    /// The worker ends. Idle: closes, when its client asks nothing more for a moment. Busy: what runs is
    /// finished, and the client is told that nothing follows.
    virtual void drain() noexcept = 0;

    [[nodiscard]] byte_stream& stream() noexcept { return *stream_; }
    [[nodiscard]] app::connection_info& info() noexcept { return info_; }

  protected:
    serving& shared_;
    std::unique_ptr<byte_stream> stream_;
    app::connection_info info_;
};

}  // namespace unicoro::worker

// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "app/host.hpp"
#include "master/worker_launch.hpp"
#include "worker/loop_watch.hpp"
#include "worker/slow_log.hpp"
#include "worker/stack_teller.hpp"

#include <memory>

namespace unicoro::worker {

struct serving;

/// What looks at the loop and at the requests from threads of its own, as the settings want it. On the loop's
/// thread; all that is given lives as long as the process.
class watches {
  public:
    /// Before there are requests, with the application loaded.
    static void prepare(const master::worker_launch& how, app::host& host, serving& shared);
    /// The worker is about to serve.
    void begin(asio::io_context& io, const master::worker_launch& how, app::host& host, serving& shared);
    /// It does not any more.
    void end(serving& shared) noexcept;

  private:
    std::unique_ptr<loop_watch> loop_;
    std::unique_ptr<slow_log> slow_;
    std::unique_ptr<stack_teller> stacks_;
};

}  // namespace unicoro::worker

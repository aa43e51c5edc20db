// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "master/companion.hpp"

#include <memory>

namespace unicoro::app {

/// What of the application lives in the master and is inherited by its workers: server hooks, whose failures
/// are logged.
class master_guest : public master::companion {
  public:
    /// In a worker: the host that goes on with what is there.
    [[nodiscard]] virtual std::unique_ptr<host> make_host() = 0;
};

}  // namespace unicoro::app

// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::worker {

/// What a connection carries since it is not HTTP any more, as long as its request runs.
class upgrade {
  public:
    /// The worker ends: begins to end it, gently.
    virtual void drain() = 0;

  protected:
    ~upgrade() = default;
};

}  // namespace unicoro::worker

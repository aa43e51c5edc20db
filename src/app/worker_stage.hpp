// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/stage.hpp>

namespace unicoro::app {

/// What `unicoro::draining` and `unicoro::stopping` say from now on. Worker only; of the process, so that
/// a process the application forks keeps what it knew.
void now_draining() noexcept;
void now_stopping() noexcept;

}  // namespace unicoro::app

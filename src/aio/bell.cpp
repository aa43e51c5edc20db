// SPDX-License-Identifier: MIT
#include "aio/bell.hpp"

namespace unicoro::aio {

awaitable<void> bell::wait() {
    [[maybe_unused]] const auto [rung] = co_await timer_.async_wait(as_tuple);
}

}  // namespace unicoro::aio

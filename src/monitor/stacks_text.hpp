// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/stacks.hpp"

#include <unicoro/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::monitor {

/// What /stacks tells.
struct stacks_told {
    std::vector<worker_stacks> workers;
    requests_view requests;  ///< of these workers
    scoreboard::monotonic_ns asked = 0;
};

enum class stacks_format : std::uint8_t { json, text };

/// Lets others have the thread now and then: it may be much. `of` outlives it.
[[nodiscard]] awaitable<std::string> written(const stacks_told& of, stacks_format how);

}  // namespace unicoro::monitor

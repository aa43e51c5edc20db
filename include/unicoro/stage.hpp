// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro {

/// True once this worker ends (a stop, a reload, a replacement): what has no end of its own, such as a
/// stream of events, should come to one; graceful_timeout ends the rest. Any thread.
[[nodiscard]] bool draining() noexcept;

/// True once the server was told to stop, also while shutdown_delay lets it serve on: what a readiness
/// check should answer 503 for. A reload is no stop. Any thread.
[[nodiscard]] bool stopping() noexcept;

}  // namespace unicoro

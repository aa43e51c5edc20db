// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace unicoro::os {

/// Waits until `word`, in memory that processes share, is not `seen` (futex(2)); returns now and then for no
/// reason. Memory that can only be read will do. From any thread, which it holds.
void wait_for_change(const std::atomic<std::uint32_t>& word, std::uint32_t seen) noexcept;

/// All who wait for a change of `word` look again, in every process.
void wake_waiting(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace unicoro::os

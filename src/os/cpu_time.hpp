// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <chrono>
#include <optional>

namespace unicoro::os {

/// What a process has used of the CPU so far, in the kernel's ticks (10 ms). Nothing when it is gone or is
/// not shown (hidepid).
[[nodiscard]] std::optional<std::chrono::nanoseconds> cpu_time(pid_t pid);

/// What this thread has used of the CPU so far.
[[nodiscard]] std::chrono::nanoseconds thread_cpu_time() noexcept;

/// That one of this process has; nothing when it has ended.
[[nodiscard]] std::optional<std::chrono::nanoseconds> thread_cpu_time(pthread_t which) noexcept;

/// And all threads of this process.
[[nodiscard]] std::chrono::nanoseconds process_cpu_time() noexcept;

}  // namespace unicoro::os

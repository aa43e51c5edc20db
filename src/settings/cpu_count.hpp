// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace unicoro::settings {

/// How many CPUs the scheduler lets this process use (the affinity mask, which a cpuset narrows).
[[nodiscard]] int affinity_cpu_count() noexcept;

/// The CPUs that are worth a worker each: `affinity`, or less where a cgroup v2 quota (`cpu.max`,
/// rounded up) of this process or of a group around it gives less. Never under 1. `root` stands in
/// front of /proc and /sys.
[[nodiscard]] int usable_cpu_count(const std::filesystem::path& root, int affinity);

/// The same for this process as it runs.
[[nodiscard]] int usable_cpu_count();

}  // namespace unicoro::settings

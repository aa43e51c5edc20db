// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace unicoro::os {

/// What a process has in memory and in swap, shared pages counted in full: a glance, some 30 us. Nothing
/// when the process is gone or is not shown.
[[nodiscard]] std::optional<std::uint64_t> resident_memory(pid_t pid);

/// The same with each shared page divided among those that share it (PSS): 16 ms for a gigabyte of small
/// pages, and never more than `resident_memory`. Nothing also where the right to ask is missing.
[[nodiscard]] std::optional<std::uint64_t> proportional_memory(pid_t pid);

/// How often the kernel has killed for want of memory: `memory.events` of this process's cgroup (version
/// 2), or else the count of the whole machine.
class oom_counter {
  public:
    /// Paths start from `root`, for tests.
    explicit oom_counter(const std::filesystem::path& root = "/");

    /// Nothing where there is no such count.
    [[nodiscard]] std::optional<std::uint64_t> read() const;

    /// The file that is read.
    [[nodiscard]] const std::string& source() const noexcept { return file_; }

  private:
    std::string file_;
};

}  // namespace unicoro::os

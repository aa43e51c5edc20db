// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

namespace unicoro::os {

/// A file that is in memory alone, empty, closed by exec, and open to seals. It can never be executed, as
/// machines may demand (sysctl vm.memfd_noexec); Linux before 6.3 knows no such file.
[[nodiscard]] result<unique_fd> make_memory_file(const char* name) noexcept;

/// The same file through a descriptor that can only read it. EACCES and the like where /proc is not to be
/// had.
[[nodiscard]] result<unique_fd> read_only_duplicate(int memory_file) noexcept;

}  // namespace unicoro::os

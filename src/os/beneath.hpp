// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <string>

namespace unicoro::os {

/// Opens what `path` names below a folder, for reading and without waiting; never anything outside of it.
/// Links are followed if they stay within; on Linux before 5.6, or where openat2(2) is forbidden, none are.
/// Fails with EAGAIN where that does not settle: something is moved all the time, or the file is leased.
/// `path` has neither a slash in front nor empty parts.
[[nodiscard]] result<unique_fd> open_beneath(int folder, const std::string& path);

/// The same without openat2(2), from folder to folder: follows no link.
[[nodiscard]] result<unique_fd> walk_beneath(int folder, const std::string& path);

}  // namespace unicoro::os

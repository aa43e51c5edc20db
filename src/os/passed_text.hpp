// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <string>
#include <string_view>

namespace unicoro::os {

/// Text for the program that this process, or a child, becomes: in memory, to be read from the descriptor by
/// `read_text`. `name` is what /proc shows; the descriptor is closed on exec unless it is passed on.
[[nodiscard]] result<unique_fd> pass_text(const char* name, std::string_view text) noexcept;

/// All that is there, from where the descriptor stands; less when it cannot be read.
[[nodiscard]] std::string read_text(int fd);

}  // namespace unicoro::os

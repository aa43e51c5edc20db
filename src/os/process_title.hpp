// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace unicoro::os {

/// Moves the environment elsewhere and remembers the memory of argv and environ, where ps(1) reads the
/// title, as proc(5) tells of it: this process may be any program's. Call it once; what
/// another thread changes in the environment meanwhile may be lost. Copies of pointers into argv are unusable
/// after `set_process_title`.
void prepare_process_title() noexcept;

/// Shows `title` as the command line of this process, clipped to the memory there is. Nothing without
/// `prepare_process_title`.
void set_process_title(std::string_view title) noexcept;

/// The short name (`comm`) of the calling thread, clipped to 15 bytes.
void set_short_name(std::string_view name) noexcept;

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <cstddef>
#include <vector>

namespace unicoro::os {

/// For a listening socket that processes share: accept(2) waits a moment at most, also after one of
/// them has made the socket blocking for all. TCP connections accepted from it inherit SO_RCVTIMEO,
/// which counts for those that somebody makes blocking.
[[nodiscard]] error_code limit_accept_wait(int listening_fd) noexcept;

/// Opens /dev/null in the place of each standard stream that is closed: what is opened next would take
/// it, and get what is printed. Before anything else is opened.
[[nodiscard]] error_code open_standard_streams() noexcept;

/// Raises the limit of open descriptors as far as this process may; returns what is in force then.
std::size_t raise_descriptor_limit() noexcept;

/// The limit in force, and how many descriptors are open.
[[nodiscard]] std::size_t descriptor_limit() noexcept;
[[nodiscard]] std::size_t open_descriptors() noexcept;

/// The folder this process is in, to be found again by fchdir(2) whatever becomes of its name; none
/// when it cannot be opened.
[[nodiscard]] unique_fd current_folder() noexcept;

/// The numbers of all descriptors that are open, in ascending order; none without /proc.
[[nodiscard]] std::vector<int> descriptor_numbers();

/// An eventfd, non-blocking and closed on exec.
[[nodiscard]] result<unique_fd> make_event() noexcept;
/// Adds one. Async-signal-safe; a full counter counts as raised.
void raise_event(int event_fd) noexcept;
/// Takes what it has counted; true when it was raised.
[[nodiscard]] bool clear_event(int event_fd) noexcept;

/// Makes a descriptor from elsewhere non-blocking and closed on exec.
[[nodiscard]] error_code make_private(int fd) noexcept;

}  // namespace unicoro::os

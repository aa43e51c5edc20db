// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

namespace unicoro::os {

/// Both ends of a pipe.
struct pipe_ends {
    unique_fd read;
    unique_fd write;
};

/// Two connected stream sockets of the unix family.
struct socket_pair {
    unique_fd first;
    unique_fd second;
};

/// Every descriptor made here is non-blocking and closed on exec.
[[nodiscard]] result<pipe_ends> make_pipe() noexcept;
[[nodiscard]] result<socket_pair> make_socket_pair() noexcept;
[[nodiscard]] result<unique_fd> make_event() noexcept;

/// Adds one to an eventfd. Async-signal-safe; a full counter counts as raised.
void raise_event(int event_fd) noexcept;

/// Takes what an eventfd has counted; true when it was raised.
[[nodiscard]] bool clear_event(int event_fd) noexcept;

/// Makes a descriptor from elsewhere non-blocking and closed on exec.
[[nodiscard]] error_code make_private(int fd) noexcept;

}  // namespace unicoro::os

// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace unicoro::os {

/// What ties a worker to its master: each side sees the end of the other, the worker can wake the
/// master, and the master can hand it files. Every worker has one of its own. The worker may do with its
/// end what it likes: no call here ever waits, also when the flags of the descriptors have been changed.
struct lifeline {
    unique_fd master_end;  ///< readable when the worker rings, and when nobody holds its end any more
    unique_fd worker_end;  ///< readable when a file has come, and when the master has died
};

[[nodiscard]] result<lifeline> make_lifeline() noexcept;

/// Worker: wakes the master. Async-signal-safe; a ring that finds no room is covered by those that
/// wait to be heard.
void ring(int worker_end) noexcept;

/// Master: takes one ring, if one has come. False when there will be no more.
[[nodiscard]] bool take_ring(int master_end) noexcept;

/// A file and what it is called.
struct handed_file {
    std::string name;
    unique_fd fd;
};

/// Master: EAGAIN when the worker has not taken those before.
[[nodiscard]] error_code hand_file(int master_end, const std::string& name, int fd) noexcept;

/// Worker: takes what has come; nothing when the master has died. Without a file when none has come.
[[nodiscard]] std::optional<handed_file> take_file(int worker_end);

/// Worker's end: sends a number to the master's, in place of a ring.
void tell_number(int worker_end, std::int64_t number) noexcept;

struct told_number {
    bool open = true;  ///< false when there will be no more
    std::optional<std::int64_t> number;
};

/// Master's end: takes one, if one has come.
[[nodiscard]] told_number take_number(int master_end) noexcept;

}  // namespace unicoro::os

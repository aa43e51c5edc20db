// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"
#include "scoreboard/scoreboard.hpp"

#include <unicoro/result.hpp>

#include <cstddef>

namespace unicoro::scoreboard {

/// As `table::open`, in memory that another process can have, too: one that was forked earlier. Nobody can
/// change its size. Master only.
[[nodiscard]] result<os::unique_fd> open_file(
    const table& board, std::size_t index, worker_state to
) noexcept;

/// In such a process: what `open_file` has made takes the slot's place.
[[nodiscard]] error_code attach(const table& board, std::size_t index, int file) noexcept;

/// The same for who only reads: what it was given of `open_file`'s need not be open for more.
[[nodiscard]] error_code attach_to_read(const table& board, std::size_t index, int file) noexcept;

/// After the fork: from now on this process can read what it has of the slots, and change none.
[[nodiscard]] error_code make_read_only(const table& board) noexcept;

/// After the fork: from now on this process can reach no slot.
[[nodiscard]] error_code keep_none(const table& board) noexcept;

}  // namespace unicoro::scoreboard

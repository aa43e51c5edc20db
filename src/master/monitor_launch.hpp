// SPDX-License-Identifier: MIT
#pragma once

#include "os/listener.hpp"
#include "scoreboard/scoreboard.hpp"
#include "scoreboard/tally.hpp"
#include "settings/settings.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::master {

/// One address of `admin_bind` or `agent_check_bind` with its socket.
struct admin_socket {
    settings::bind_address asked;
    os::listener socket;
};

/// What the monitor's process starts with, after the fork: as a worker does, but without the server's own
/// sockets and without a slot. It can read the board and the tally, and change the stack_question alone.
struct monitor_launch {
    const settings::server_settings& settings;
    std::span<const admin_socket> sockets;
    std::span<const admin_socket> agent_sockets;  ///< of agent_check_bind
    const scoreboard::table& board;
    const scoreboard::tally& counts;
    int line_fd;  ///< os::lifeline: log files, and the slots of workers that come
    std::string version;
    scoreboard::happening_counts told;  ///< counted before the fork: the reload that it came of is not
};

/// The name under which the monitor gets the memory of a new worker's slot.
[[nodiscard]] std::string slot_name(std::size_t slot, std::uint64_t age);

struct named_slot {
    std::size_t slot = 0;
    std::uint64_t age = 0;
};

/// Nothing for the name of anything else.
[[nodiscard]] std::optional<named_slot> read_slot_name(std::string_view name);

}  // namespace unicoro::master

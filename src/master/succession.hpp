// SPDX-License-Identifier: MIT
#pragma once

#include "master/readings.hpp"
#include "os/failure.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/tally.hpp"
#include "settings/settings.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::master {

/// What a running master passes on to the program that is to take its place (USR2; docs/signals.md). It goes
/// through an exec, so that descriptors are bare numbers here: who takes a succession owns them all.
///
/// A new release must understand that of the one before: fields are added, and never change their meaning.
struct succession {
    enum class role {
        trial,      ///< a child, which shows that the program can serve, and ends
        successor,  ///< the same process: what it has been is over
    };

    struct socket {
        int fd = -1;
        settings::bind_address asked;
        bool has_file = false;  ///< a unix socket whose file is removed by who has it last
        bool admin = false;     ///< the monitor's
    };

    struct worker {
        pid_t pid = 0;
        int lifeline = -1;
        instant born{0};
        std::optional<instant> leaves_by;  ///< it has been told to end
    };

    role as = role::trial;
    pid_t from = 0;          ///< the master
    bool activated = false;  ///< the sockets are those of the service manager
    std::vector<socket> sockets;
    std::vector<worker> workers;  ///< of a successor
    std::string pidfile;          ///< absolute; empty = none
    int pidfile_fd = -1;
    int configured_workers = 0;
    int strength = 0;            ///< what TTIN and TTOU have made of them
    scoreboard::counted counts;  ///< by a successor

    [[nodiscard]] std::vector<int> descriptors() const;
};

/// The variable that names the descriptor with the text of a succession.
inline constexpr std::string_view succession_variable = "UNICORO_SUCCESSION";

[[nodiscard]] std::string write_succession(const succession& what);
/// Nothing when the text is none that this release understands.
[[nodiscard]] std::optional<succession> read_succession(std::string_view text);

/// What this process was passed on, taken out of its environment; nothing when it was not, or when the
/// variable is somebody else's. Its descriptors are closed on exec from here on.
[[nodiscard]] os::outcome<std::optional<succession>> take_succession();

}  // namespace unicoro::master

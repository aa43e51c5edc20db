// SPDX-License-Identifier: MIT
#include "settings/commands.hpp"

#include <algorithm>
#include <array>

namespace unicoro::settings {
namespace {

constexpr std::array known_commands{
    command{"status", "", "", "Tell whether the server is ready, and of its workers"},
    command{"requests", "", "", "List the requests in flight, the longest first"},
    command{
        "stacks", "", "", "Show where the code of the requests in flight is, also of workers that are stuck"
    },
    command{"top", "", "", "Show workers and requests, again and again; q ends it, h shows the keys"},
    command{"reload", "", "", "Read the settings again and replace the workers (HUP)", true},
    command{"stop", "", "", "Stop gracefully (TERM)", true},
    command{"workers", "+1|-1", "+1 -1", "One worker more, or one fewer (TTIN, TTOU)", true},
    command{"upgrade", "", "", "Become the program that is on disk now (USR2)", true},
};

constexpr std::string_view looks = "status requests stacks top";
constexpr std::string_view acts = "reload stop workers upgrade";

constexpr std::array known_flags{
    command_flag{
        "--admin", "ADDRESS", "", "Where the server answers: unix:PATH, HOST:PORT or http://HOST:PORT", looks
    },
    command_flag{"-c,--config", "FILE", "", "The settings of the server, which say where that is", ""},
    command_flag{"-p,--pidfile", "FILE", "", "The pidfile of the server", ""},
    command_flag{"--pid", "N", "", "The process of the server's master", ""},
    command_flag{
        "--token-file",
        "FILE",
        "",
        "Has the admin_token in its first line; else UNICORO_ADMIN_TOKEN counts, or that of --config",
        ""
    },
    command_flag{"--json", "", "", "What the server says, as it is", "status requests stacks"},
    command_flag{"--worker", "PID", "", "Only of this worker", "stacks"},
    command_flag{
        "--sort", "KEY", "worker cpu memory requests silent", "The order of the workers [worker]", "top"
    },
    command_flag{"--interval", "SECONDS", "", "From one look to the next, 0.1 to 3600 [1]", "top"},
    command_flag{"--count", "N", "", "End after so many looks", "top"},
    command_flag{"--no-wait", "", "", "Do not wait for the outcome", acts},
    command_flag{"--timeout", "SECONDS", "", "Wait so long for the outcome, 0.1 to 86400 [60]", acts},
    command_flag{"-h,--help", "", "", "Show this", ""},
};

}  // namespace

std::span<const command> commands() noexcept {
    return known_commands;
}

std::span<const command_flag> command_flags() noexcept {
    return known_flags;
}

const command* find_command(std::string_view word) noexcept {
    const auto found = std::ranges::find(known_commands, word, &command::name);
    return found == known_commands.end() ? nullptr : &*found;
}

bool has_flag(const command& which, const command_flag& flag) noexcept {
    return flag.of.empty() || is_one_of(which.name, flag.of, ' ');
}

bool is_one_of(std::string_view word, std::string_view words, char separator) noexcept {
    while (!words.empty()) {
        const auto end = std::min(words.find(separator), words.size());
        if (words.substr(0, end) == word) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "scoreboard/tally.hpp"

#include <array>
#include <string_view>
#include <utility>

/// What things are called in metrics and in JSON.
namespace unicoro::monitor {

using scoreboard::happening;
using scoreboard::worker_state;

inline constexpr std::array<std::pair<worker_state, std::string_view>, 4> worker_states{{
    {worker_state::booting, "booting"},
    {worker_state::ready, "ready"},
    {worker_state::retiring, "retiring"},
    {worker_state::draining, "draining"},
}};

inline constexpr std::array<std::pair<happening, std::string_view>, 8> worker_ends{{
    {happening::worker_ended, "told"},
    {happening::worker_exited, "exit"},
    {happening::worker_failed, "failure"},
    {happening::worker_not_booted, "boot"},
    {happening::worker_timed_out, "timeout"},
    {happening::worker_too_big, "memory_limit"},
    {happening::worker_starved, "out_of_memory"},
    {happening::worker_signalled, "signal"},
}};

inline constexpr std::array<std::string_view, scoreboard::status_classes> status_words{
    "1xx", "2xx", "3xx", "4xx", "5xx"
};

[[nodiscard]] constexpr std::string_view word_of(worker_state state) noexcept {
    for (const auto& [known, word] : worker_states) {
        if (known == state) return word;
    }
    return "unknown";
}

[[nodiscard]] constexpr std::string_view word_of(scoreboard::request_stage stage) noexcept {
    switch (stage) {
        case scoreboard::request_stage::application: return "application";
        case scoreboard::request_stage::queued: return "queued";
        case scoreboard::request_stage::sending: return "sending";
        case scoreboard::request_stage::websocket: return "websocket";
    }
    return "unknown";
}

}  // namespace unicoro::monitor

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/address.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::cli {

/// Where a monitor is asked.
struct admin_address {
    std::string path = {};  ///< of a unix socket; empty = it is TCP
    std::string host = {};  ///< without brackets, never empty or "every address"
    std::uint16_t port = 0;

    [[nodiscard]] bool is_unix() const noexcept { return !path.empty(); }
    [[nodiscard]] std::string text() const;
};

/// Reads unix:PATH, HOST:PORT, [IPV6]:PORT and http://...; otherwise `problem` says what is wrong.
[[nodiscard]] std::optional<admin_address> read_admin_address(std::string_view written, std::string& problem);

/// The one of admin_bind that is asked best: a unix socket before any other. None where none can be known
/// (port 0). Relative paths are of `folder`.
[[nodiscard]] std::optional<admin_address> best_of(
    const std::vector<settings::bind_address>& bound, const std::filesystem::path& folder
);

/// The address of one that listens at `host`, which may be every address of the machine.
[[nodiscard]] std::string host_to_ask(const std::string& host);

}  // namespace unicoro::cli

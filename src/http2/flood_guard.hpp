// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unicoro::http2 {

/// What a peer may do for nothing, and only so often.
enum class burden : std::uint8_t {
    reset,          ///< RST_STREAM of the client, or an error of its that has to be answered by one
    settings,       ///< SETTINGS
    ping,           ///< PING that is no answer
    empty_frame,    ///< DATA without data, where it ends nothing
    window_update,  ///< WINDOW_UPDATE, which data that was sent pays for
    other,          ///< PRIORITY
};

/// Counts them for one connection, each with a stock that time refills (RFC 9113, 10.5). Knows no clock.
class flood_guard {
  public:
    using time = std::int64_t;  // nanoseconds of a clock that does not go back

    /// One more of that kind. False when there are too many.
    [[nodiscard]] bool admit(burden what, time now) noexcept;
    /// A frame of data has gone out, of so many bytes: a client that reads says so.
    void sent_data(std::size_t bytes) noexcept;

    /// The rule, for the log.
    [[nodiscard]] static std::string_view rule(burden what) noexcept;

  private:
    static constexpr std::size_t kinds = 6;

    struct stock {
        double left = -1;  // below zero: not begun
        time filled = 0;
    };

    std::array<stock, kinds> stocks_;
};

}  // namespace unicoro::http2

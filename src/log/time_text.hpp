// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

namespace unicoro::log {

/// A moment in local time in the forms the logs use, made once per second. One per thread.
class time_text {
  public:
    /// Moves to the second `when` lies in; the views of before are void.
    void set(std::chrono::system_clock::time_point when);

    /// "[2026-11-24 07:00:00 +0000]"
    [[nodiscard]] std::string_view error_stamp() const noexcept { return error_stamp_; }
    /// "[24/Nov/2026:07:00:00 +0000]", months in English whatever the locale is
    [[nodiscard]] std::string_view common_log() const noexcept { return common_log_; }
    /// "2026-11-24T07:00:00"
    [[nodiscard]] std::string_view iso_seconds() const noexcept { return iso_seconds_; }
    /// "+00:00"
    [[nodiscard]] std::string_view iso_zone() const noexcept { return iso_zone_; }

  private:
    std::time_t second_ = -1;
    std::string error_stamp_;
    std::string common_log_;
    std::string iso_seconds_;
    std::string iso_zone_;
};

/// This thread's `time_text`, moved to `when`.
const time_text& local_time(std::chrono::system_clock::time_point when);

}  // namespace unicoro::log

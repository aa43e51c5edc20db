// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "app/location.hpp"
#include "settings/settings.hpp"
#include "worker/admission.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::worker {

/// Which rule of `request_rules` a request comes under. One per worker.
class request_rules {
  public:
    using number = std::uint16_t;
    static constexpr number none = 0;

    request_rules(const settings::server_settings& values, aio::deadline_service& deadlines);

    [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }

    /// The rule for a path below the server's own mount, by whole segments.
    [[nodiscard]] number find(std::string_view path) const noexcept;
    /// request_timeout under the rule of that number.
    [[nodiscard]] aio::deadline_queue& timeout(number of) const noexcept;
    /// Whether a request with this answer is to be in the access log; counts it.
    [[nodiscard]] bool logs(number of, int status) noexcept;

  private:
    struct rule {
        std::string prefix;  // without a slash at the end; empty = "/"
        aio::deadline_queue* timeout;
        double logged;    // share of lines
        double owed = 0;  // of the next line
    };

    std::vector<rule> rules_;  // the longest prefix first
    aio::deadline_queue* usual_timeout_;
};

/// True when some setting limits who is inside.
[[nodiscard]] bool limits_admission(const settings::server_settings& values) noexcept;

/// The limits of all, and the lanes by the number of their rule.
[[nodiscard]] admission::limits common_limits(const settings::server_settings& values) noexcept;
[[nodiscard]] std::vector<admission::lane_limits> lanes_of(const settings::server_settings& values);

}  // namespace unicoro::worker

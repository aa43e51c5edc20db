// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/picture.hpp"

#include <string>
#include <string_view>

namespace unicoro::monitor {

/// How metrics are written: Prometheus' text format 0.0.4, or OpenMetrics 1.0.
enum class exposition { prometheus, openmetrics };

/// The one that an Accept field asks for: OpenMetrics where it is wanted at least as much as plain text.
[[nodiscard]] exposition wanted_exposition(std::string_view accept) noexcept;

[[nodiscard]] std::string_view content_type(exposition how) noexcept;

/// All metrics (docs/monitoring.md). Labels take their values from the settings and from fixed words.
[[nodiscard]] std::string metrics_text(const picture& of, std::string_view version, exposition how);

}  // namespace unicoro::monitor

// SPDX-License-Identifier: MIT
#pragma once

#include "log/access_record.hpp"

#include <span>
#include <string>

namespace unicoro::log {

/// True when requests are to be logged; else nothing of a record need be collected.
[[nodiscard]] bool access_enabled() noexcept;

/// Writes one line to the access log in one write(2), in the format of the settings. Any thread;
/// never throws. Does nothing when the access log is off.
void write_access(const access_record& record) noexcept;

/// True when the format prints request fields (referer and user agent count), or response fields.
[[nodiscard]] bool access_uses_request_fields() noexcept;
[[nodiscard]] bool access_uses_response_fields() noexcept;

/// Names of environ entries the format prints, as written in it; gunicorn takes them in any case.
[[nodiscard]] std::span<const std::string> access_environ_names() noexcept;

}  // namespace unicoro::log

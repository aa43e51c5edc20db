// SPDX-License-Identifier: MIT
#pragma once

#include "log/access_record.hpp"

#include <span>
#include <string>
#include <string_view>

namespace unicoro::log {

/// True when requests are to be logged; else nothing of a record need be collected. May change while
/// the worker runs.
[[nodiscard]] bool access_enabled() noexcept;

/// Writes one line to the access log in one write(2), in the format of the settings, unless the relay
/// takes it. Any thread; never throws. Does nothing when the access log is off.
void write_access(const access_record& record) noexcept;

/// Gets every record first, with its line (without a newline); true = it is dealt with. An application's
/// own logging. Called where the record is written.
using access_relay = bool (*)(const access_record& record, std::string_view line);

/// Sets the one relay of this process; nullptr = none.
void relay_access(access_relay relay) noexcept;

/// Writes lines that are ready, newlines included, to the access log as they are; nothing when it has no
/// target.
void write_ready_access(std::string_view lines) noexcept;

/// The descriptor access lines are written to; -1 without one. The number stays the same over `reopen`.
[[nodiscard]] int access_descriptor() noexcept;

/// True when the format prints request fields (referer and user agent count), or response fields.
[[nodiscard]] bool access_uses_request_fields() noexcept;
[[nodiscard]] bool access_uses_response_fields() noexcept;

/// Names of environ entries the format prints, as written in it; gunicorn takes them in any case.
[[nodiscard]] std::span<const std::string> access_environ_names() noexcept;

}  // namespace unicoro::log

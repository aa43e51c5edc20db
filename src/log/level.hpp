// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::log {

/// Of an error-log line; `loglevel` names the lowest that is written.
enum class level { debug, info, warning, error, critical };

}  // namespace unicoro::log

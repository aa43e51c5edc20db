// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::http {

/// Why a request is answered by the server itself. `detail` names the rule and the offending value,
/// clipped and with control bytes escaped; it goes to the log and, html-escaped, to the client.
struct refusal {
    int status = 400;
    std::string detail;
};

/// Fills in `why` and returns false, for rules that end in `return refuse(...)`.
bool refuse(refusal& why, int status, std::string_view rule);

/// The same, with the offending bytes quoted behind the rule.
bool refuse(refusal& why, int status, std::string_view rule, std::string_view value);

/// The same for a limit: names the setting and its value.
bool refuse_over(
    refusal& why, int status, std::string_view what, std::string_view setting, std::size_t limit
);

/// In double quotes, clipped to a length fit for a log line; bytes outside printable ASCII as \xNN.
[[nodiscard]] std::string quoted(std::string_view bytes);

}  // namespace unicoro::http

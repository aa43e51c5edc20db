// SPDX-License-Identifier: MIT
#pragma once

#include "settings/value_type.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// Reads a JSON text, in which comments (// and /* */) may stand, into `document`. What is wrong
/// goes to `errors`: a syntax error with line and column, keys given twice with their JSON pointer.
/// False when there is no document.
[[nodiscard]] bool parse_json(std::string_view text, json& document, std::vector<std::string>& errors);

}  // namespace unicoro::settings

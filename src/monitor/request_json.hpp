// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/picture.hpp"

#include <nlohmann/json.hpp>

namespace unicoro::monitor {

/// A request as it is shown: of its target the path alone, and what is not printable ASCII as \xHH.
[[nodiscard]] nlohmann::ordered_json request_json(const request_view& of);

}  // namespace unicoro::monitor

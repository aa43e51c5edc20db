// SPDX-License-Identifier: MIT
#pragma once

#include "settings/layer.hpp"
#include "settings/load.hpp"

#include <span>
#include <string>
#include <vector>

namespace unicoro::settings {

/// Asks Python about the classes that layers name and nobody here knows, and adopts them. `warnings` get
/// what is doubtful, each layer its errors.
void adopt_named_classes(
    const load_request& request, std::span<layer* const> layers, std::vector<std::string>& warnings
);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include "settings/layer.hpp"
#include "settings/load.hpp"

#include <span>
#include <string>
#include <vector>

namespace unicoro::settings {

/// Looks at the class of Python that `given` (worker_class or logger_class) names. `lineage` describes it and
/// what it is derived from, nearest first: [["module.Class", ["name it defines", ...]], ...]. A worker class
/// becomes the known one among its bases. What it overrides in vain is said in `warnings`, what is no such
/// class in `errors`.
void adopt_class(
    assignment& given,
    const json& lineage,
    std::vector<std::string>& warnings,
    std::vector<std::string>& errors
);

/// Asks Python about the classes that layers name and nobody here knows, and adopts them. `warnings` get
/// what is doubtful, each layer its errors.
void adopt_named_classes(
    const load_request& request, std::span<layer* const> layers, std::vector<std::string>& warnings
);

}  // namespace unicoro::settings

// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace unicoro::os {

/// Arguments or an environment in the form that exec(3) takes; valid while `texts` is.
[[nodiscard]] inline std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& each : texts) pointers.push_back(const_cast<char*>(each.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace unicoro::os
